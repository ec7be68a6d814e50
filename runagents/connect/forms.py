"""What a recipe is for: a model, and the agent whose key the client gets."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from providers.choices import Offer, RegisteredField
from providers.models import ProviderModel
from providers.models.kinds import BEHIND, CHAT, kind_of
from runagents.agents.models import Agent


class ChoiceForm(forms.Form):
    """Choices as the address names them; what is not there is left out."""

    model = RegisteredField(required=False, label=_("Model"))
    agent = RegisteredField(required=False, label=_("Agent"))

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        names = Agent.objects.values_list("name", flat=True)
        self.agents = Offer([(name, name) for name in names], "agents")
        cast(RegisteredField, self.fields["agent"]).offer(self.agents, _("Any"))
        named = str(data.get("agent", ""))
        self.chosen_agent = Agent.objects.filter(name=named).first() if named else None
        self._kinds = _models_of(self.chosen_agent)
        self.models = Offer([(model, model) for model in self._kinds], "models")
        cast(RegisteredField, self.fields["model"]).offer(self.models)
        chosen = str(data.get("model", ""))
        self.chosen_model = chosen if chosen in self._kinds else self._first_of(CHAT)
        self.chosen_kind = self._kinds.get(self.chosen_model, CHAT)
        self.data = {
            "model": self.chosen_model,
            "agent": self.chosen_agent.name if self.chosen_agent else "",
        }

    def model_of(self, kind: str) -> str:
        """Return the model that a client asks for which wants one of a kind.

        That is the chosen one or, where it is of another kind, the first that fits.
        """
        if self.chosen_model and self.chosen_kind == kind:
            return self.chosen_model
        fitting = (model for model, its in self._kinds.items() if its == kind)
        return next(fitting, "MODEL")

    def _first_of(self, kind: str) -> str:
        """Return the first model of a kind, else the first of all."""
        fitting = [model for model, its in self._kinds.items() if its == kind]
        return next(iter(fitting or self._kinds), "")


def _models_of(agent: Agent | None) -> dict[str, str]:
    """Return the models that may be asked for, by an agent or by any, with their kinds.

    A model that several serve has the kind that it has at the first.
    """
    rows = ProviderModel.objects.filter(provider__enabled=True)
    if agent is not None and agent.access == Agent.Access.WIRED:
        wired = agent.wires.filter(provider__enabled=True)
        served = rows.filter(
            provider__in=wired.values("provider"), model_id__in=wired.values("model_id")
        ).values_list("provider", "model_id", *BEHIND)
        known = {
            (provider, model): kind_of(model, *behind)
            for provider, model, *behind in served
        }
        return _first(
            (model, known.get((provider, model)) or kind_of(model))
            for provider, model in wired.values_list("provider", "model_id")
        )
    rows = rows.order_by("provider__priority", "provider__name", "position")
    return _first(
        (model, kind_of(model, *behind))
        for model, *behind in rows.values_list("model_id", *BEHIND)
    )


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for model, kind in pairs:
        kinds.setdefault(model, kind)
    return kinds

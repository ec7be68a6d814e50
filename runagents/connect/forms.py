"""What a recipe is for: a model, and the agent whose key the client gets."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from providers.choices import Offer, RegisteredField
from providers.models import ProviderModel
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
        models = _models_of(self.chosen_agent)
        self.models = Offer([(model, model) for model in models], "models")
        cast(RegisteredField, self.fields["model"]).offer(self.models)
        chosen = str(data.get("model", ""))
        self.chosen_model = (
            chosen if chosen in self.models.known else next(iter(models), "")
        )
        self.data = {
            "model": self.chosen_model,
            "agent": self.chosen_agent.name if self.chosen_agent else "",
        }


def _models_of(agent: Agent | None) -> list[str]:
    """Return the models that may be asked for: by an agent's keys, or by any."""
    if agent is not None and agent.access == Agent.Access.WIRED:
        wired = agent.wires.filter(provider__enabled=True)
        return list(dict.fromkeys(wired.values_list("model_id", flat=True)))
    rows = ProviderModel.objects.filter(provider__enabled=True)
    rows = rows.order_by("provider__priority", "provider__name", "position")
    return list(dict.fromkeys(rows.values_list("model_id", flat=True)))

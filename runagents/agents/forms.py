"""Wiring the roles of an agent to models."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.choices import Choice, Offer, RegisteredField
from providers.models import ModelProvider
from providers.models.kinds import CHAT, KINDS
from runagents.agents.models import Agent, Wire
from runagents.agents.registration import (
    ROLES,
    fitting_first,
    kind_of_role,
    served_models,
)

PREFIX = "role_"
ROLE = re.compile(r"[a-z][a-z0-9_-]{0,62}")

Target = tuple[ModelProvider, str]


class FilterForm(forms.Form):
    """What the list of agents may be narrowed to; an empty field does not narrow."""

    q = forms.CharField(
        required=False, max_length=512, label=gettext_lazy("Name or model")
    )

    def narrow(self, rows: QuerySet[Agent]) -> QuerySet[Agent]:
        """Return the agents that pass."""
        self.is_valid()
        if text := self.cleaned_data.get("q"):
            wired = Wire.objects.filter(model_id__icontains=text).values("agent")
            rows = rows.filter(Q(name__icontains=text) | Q(pk__in=wired))
        return rows

    def query(self) -> dict[str, str]:
        """Return the filters in use, for links to further pages."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class WiresForm(forms.Form):
    """One choice of provider and model per role, and room for one more role.

    `wired` is what is chosen now, role -> ``provider/model``; a choice that nobody
    serves any more is kept and marked, so that saving does not drop it unseen.
    """

    other_role = forms.CharField(
        required=False,
        max_length=63,
        label=gettext_lazy("Another role"),
        help_text=gettext_lazy("As the agent's code calls it, for example `planner`."),
    )
    other_target = RegisteredField(
        required=False, label=gettext_lazy("Its provider and model")
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        wired: Mapping[str, str] | None = None,
        roles: Iterable[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        wired = wired or {}
        served = served_models()
        self.offers = {kind: _offer(served, kind) for kind in KINDS}
        self.served = self.offers[CHAT]
        self.of_another_kind = {
            role: kind_of_role(role)
            for role, target in wired.items()
            if _is_of_another_kind(served, target, role)
        }
        self.roles = list(dict.fromkeys([*wired, *roles, *ROLES]))
        for role in self.roles:
            current = wired.get(role, "")
            field = RegisteredField(required=False, label=role, initial=current)
            offer = self.offers[kind_of_role(role)]
            field.offer(offer, _("Not used"), _gone(current, offer))
            self.fields[PREFIX + role] = field
        other = cast(RegisteredField, self.fields["other_target"])
        other.offer(self.served, _("Not used"))

    def role_fields(self) -> list[forms.BoundField]:
        """Return the fields of the roles, for the page."""
        return [self[PREFIX + role] for role in self.roles]

    def clean_other_role(self) -> str:
        """Return the further role, refused if it cannot be part of a variable."""
        role: str = self.cleaned_data["other_role"].strip().lower()
        if role and not ROLE.fullmatch(role):
            raise ValidationError(
                _("Use a lower-case word of letters, digits, hyphens and underscores.")
            )
        return role

    def clean(self) -> dict[str, Any]:
        """Check that a further role and its model come together."""
        cleaned = super().clean() or self.cleaned_data
        role, target = cleaned.get("other_role"), cleaned.get("other_target")
        if role and not target:
            self.add_error("other_target", _("Choose a provider and model."))
        if target and not role and "other_role" not in self.errors:
            self.add_error("other_role", _("Name the role."))
        return cleaned

    def targets(self) -> dict[str, Target]:
        """Return role -> (provider, model id), for the roles that are wired."""
        chosen = {role: self.cleaned_data[PREFIX + role] for role in self.roles}
        if self.cleaned_data["other_role"]:
            chosen[self.cleaned_data["other_role"]] = self.cleaned_data["other_target"]
        pairs = {role: value.partition("/") for role, value in chosen.items() if value}
        rows = ModelProvider.objects.in_bulk(
            [name for name, _slash, _model in pairs.values()], field_name="name"
        )
        return {
            role: (rows[name], model) for role, (name, _slash, model) in pairs.items()
        }


def _offer(served: Mapping[str, Mapping[str, str]], kind: str) -> Offer:
    """Return the choices of provider and model, grouped by provider.

    Providers and models of a kind come before the others.
    """
    names = sorted(served, key=lambda name: kind not in served[name].values())
    groups = [
        (name, [(f"{name}/{model}", f"{name}/{model}") for model in models])
        for name in names
        if (models := fitting_first(served[name], kind))
    ]
    return Offer(groups, f"served-for-{kind}")


def _is_of_another_kind(
    served: Mapping[str, Mapping[str, str]], target: str, role: str
) -> bool:
    name, _slash, model = target.partition("/")
    kind = kind_of_role(role)
    return served.get(name, {}).get(model, kind) != kind


def _gone(current: str, served: Offer) -> list[Choice]:
    """Return the choice that keeps what is wired now and not served any more."""
    if not current or current in served.known:
        return []
    return [(current, _("%s (not served now)") % current)]

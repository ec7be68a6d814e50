"""How the console calls the doors at which a call may come in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from gateway.doors import NAMES

LABELS: dict[str, str] = {name: name.capitalize() for name in NAMES}
"""By the name that the ledger knows; a new door is here by itself."""


def field() -> forms.ChoiceField:
    """Return a field that narrows calls to those of one door."""
    choices = [("", _("Any")), *LABELS.items()]
    return forms.ChoiceField(required=False, label=_("Door"), choices=choices)


def label(name: str) -> str:
    """Return what a door is called, also one that this version does not know."""
    return LABELS.get(name, name)

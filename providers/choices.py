"""Choices among what is registered: a menu of few, or a text field that suggests."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

FEW = 200
"""Choices that a menu shows; more are typed, and suggested while they are typed."""
SUGGESTED = 5_000
"""Suggestions that a page has room for; what is beyond may be typed as well."""

Choice = tuple[str, Any]
"""A value with its label, or the name of a group with the choices in it."""


class Offer:
    """What is there to be chosen on a page, by any number of its fields.

    `uid` is the id of the page's datalist, which has the `suggestions`.
    """

    def __init__(self, choices: Sequence[Choice], uid: str) -> None:
        self.choices = choices
        self.uid = uid
        self.values = _values(choices)
        self.known = frozenset(self.values)
        self.is_long = len(self.values) > FEW

    @property
    def suggestions(self) -> list[str]:
        """What the page suggests: nothing where menus show it."""
        return self.values[:SUGGESTED] if self.is_long else []


class _TypedChoice(forms.SearchInput):
    def value_from_datadict(self, *args: Any) -> Any:
        """Return what was typed, without the spaces that phones add to words."""
        value = super().value_from_datadict(*args)
        return value.strip() if isinstance(value, str) else value


class RegisteredField(forms.ChoiceField):
    """A choice of something registered, whose number nobody can foresee."""

    default_error_messages = {
        "invalid_choice": gettext_lazy(
            "`%(value)s` is not there to be chosen. Type a part of its name and take "
            "one of the suggestions."
        )
    }
    _known: frozenset[str] = frozenset()

    def offer(self, offer: Offer, blank: Any = "", more: Sequence[Choice] = ()) -> None:
        """Take what may be chosen: nothing under the label `blank`, and `more`."""
        if not offer.is_long:
            nothing = [("", blank)] if blank else []
            self.choices = [*nothing, *offer.choices, *more]
            return
        self.choices = more
        self._known = offer.known
        self.widget = typed(offer)
        self.widget.is_required = self.required

    def valid_value(self, value: Any) -> bool:
        """Tell whether the value may be chosen."""
        return value in self._known or super().valid_value(value)


def typed(offer: Offer) -> forms.Widget:
    """Return a text field for one of the choices.

    One to search, for the cross that empties it: only then all choices are suggested.
    """
    return _TypedChoice(
        {
            "list": offer.uid,
            "autocomplete": "off",
            "placeholder": _("Type to search"),
        }
    )


def _values(choices: Sequence[Choice]) -> list[str]:
    """Return the values in `choices`, those in groups too."""
    found: list[str] = []
    for value, label in choices:
        found += _values(label) if isinstance(label, list) else [value]
    return found

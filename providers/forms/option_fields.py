"""The form's fields for a provider's options: what stands under *Advanced*.

The options, their rules and their words are in `providers/options/`; here is how each
kind of value is asked for.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from providers.options import EVERYWHERE, MAY_BE_NONE, NETWORK, OPTIONS, TIMEOUTS
from providers.options.kinds import (
    MAX_SECONDS,
    Certificates,
    Choice,
    Flag,
    Headers,
    Kind,
    Number,
    Texts,
    Timeouts,
)

# Form fields, and the options they ask for; of timeouts each has a field of its own.
OPTION_FIELDS = {
    f"option_{name}": name
    for name, option in OPTIONS.items()
    if not isinstance(option.kind, Timeouts)
}
TIMEOUT_FIELDS = {f"timeout_{name}": name for name in TIMEOUTS}
NETWORK_FIELDS = [f"option_{name}" for name in NETWORK]
NAMES = (*OPTION_FIELDS, *TIMEOUT_FIELDS)


class Lines(forms.Field):
    """A text of ``name: value`` lines, or a mapping; gives a mapping of texts."""

    widget = forms.Textarea
    separator = ":"

    def __init__(self, *, separator: str = ":", **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 3, "class": "mono"}))
        super().__init__(**kwargs)
        self.separator = separator

    def to_python(self, value: Any) -> Any:
        """Return the mapping; raises ValidationError that quotes the wrong line."""
        if value is None or isinstance(value, Mapping):
            return dict(value or {})
        if not isinstance(value, str):
            raise ValidationError(_("Must map names to values."))
        pairs = {}
        for line in filter(None, map(str.strip, value.splitlines())):
            name, found, text = line.partition(self.separator)
            if not found or not name.strip():
                raise ValidationError(
                    _("`%(line)s` is not of the form `name%(separator)s value`."),
                    params={"line": line[:80], "separator": self.separator},
                )
            pairs[name.strip()] = text.strip()
        return pairs

    def prepare_value(self, value: Any) -> Any:
        """Return text for the page."""
        if isinstance(value, Mapping):
            gap = " " if self.separator == ":" else ""
            return "\n".join(f"{k}{self.separator}{gap}{v}" for k, v in value.items())
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether the text differs from what the page showed."""
        return bool((self.prepare_value(initial) or "") != (data or ""))


class Commas(forms.CharField):
    """Words apart by commas or spaces; gives a list."""

    def to_python(self, value: Any) -> Any:
        """Return the words."""
        if isinstance(value, list):
            return value
        return (super().to_python(value) or "").replace(",", " ").split()

    def prepare_value(self, value: Any) -> Any:
        """Return text for the page."""
        return ", ".join(value) if isinstance(value, list) else value


def _field(kind: Kind) -> forms.Field:
    """Return a form field that asks for a value of this kind."""
    match kind:
        case Flag():
            return forms.TypedChoiceField(
                choices=[("", _("Default")), ("on", _("On")), ("off", _("Off"))],
                coerce=lambda value: value == "on",
                empty_value=None,
            )
        case Choice(words):
            return forms.TypedChoiceField(
                choices=[("", _("Default")), *((word, word) for word in words)],
                empty_value=None,
            )
        case Number(most):
            return forms.IntegerField(min_value=0, max_value=most)
        case Headers():
            return Lines()
        case Certificates():
            attrs = {"rows": 4, "class": "mono", "spellcheck": "false"}
            return forms.CharField(widget=forms.Textarea(attrs=attrs))
        case Texts():
            return Commas()
        case _:
            return forms.CharField()


def form_fields() -> dict[str, forms.Field]:
    """Return new form fields by their names in the form."""
    fields: dict[str, forms.Field] = {}
    for field_name, name in OPTION_FIELDS.items():
        option = OPTIONS[name]
        field = _field(option.kind)
        field.required = False
        field.label, field.help_text = option.label, option.help
        fields[field_name] = field
    for field_name, name in TIMEOUT_FIELDS.items():
        fields[field_name] = forms.FloatField(
            required=False,
            label=TIMEOUTS[name],
            min_value=0 if name in MAY_BE_NONE else 0.001,
            max_value=MAX_SECONDS,
        )
    return fields


def names(understood: Collection[str]) -> list[str]:
    """Return the fields to show where these options are understood.

    Those of the network are a group of their own (`NETWORK_FIELDS`).
    """
    shown = {*EVERYWHERE, *understood} - {*NETWORK}
    return [field for field, name in OPTION_FIELDS.items() if name in shown]


def initial(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields show for stored options."""
    shown = {}
    for field, name in OPTION_FIELDS.items():
        value = stored.get(name)
        shown[field] = ("on" if value else "off") if isinstance(value, bool) else value
    for name, value in stored.get("timeouts", {}).items():
        shown[f"timeout_{name}"] = value
    return shown


def merged(
    base: Mapping[str, Any], cleaned: Mapping[str, Any], given: Callable[[str], bool]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return `base` with the fields' values put in, and what is wrong by form field.

    Only fields that were `given` count; an empty one removes the option.
    """
    values, problems = dict(base), {}
    for field, name in OPTION_FIELDS.items():
        if field not in cleaned or not given(field):
            continue
        values.pop(name, None)
        value = cleaned[field]
        if value in (None, "", [], {}):
            continue
        try:
            values[name] = OPTIONS[name].kind.check(value)
        except ValueError as error:
            text = str(error).removesuffix(".")
            problems[field] = f"{text[:1].upper()}{text[1:]}."
    timeouts = values.get("timeouts") or {}
    # What is no mapping is not from the fields: whoever checks the options says so.
    if isinstance(timeouts, Mapping):
        values.pop("timeouts", None)
        if timeouts := _merged_timeouts(timeouts, cleaned, given):
            values["timeouts"] = timeouts
    return values, problems


def _merged_timeouts(
    base: Mapping[str, Any], cleaned: Mapping[str, Any], given: Callable[[str], bool]
) -> dict[str, Any]:
    timeouts = dict(base)
    for field, name in TIMEOUT_FIELDS.items():
        if field in cleaned and given(field):
            timeouts.pop(name, None)
            if cleaned[field] is not None:
                timeouts[name] = cleaned[field]
    return timeouts

"""The form's fields for a provider's options: what stands under *Advanced*.

The options and their rules are in `providers/options.py`; here is how each is asked
for.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from providers import options

PREFIX = "option_"
TIMEOUTS = ("connect", "first_byte", "silence", "total")


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


def _flag() -> forms.Field:
    return forms.TypedChoiceField(
        choices=[("", _("Default")), ("on", _("On")), ("off", _("Off"))],
        coerce=lambda value: value == "on",
        empty_value=None,
    )


def _choice(*values: str) -> Callable[[], forms.Field]:
    def make() -> forms.Field:
        return forms.TypedChoiceField(
            choices=[("", _("Default")), *((value, value) for value in values)],
            empty_value=None,
        )

    return make


class OptionField(NamedTuple):
    """How one option is asked for, and for which provider types it means something."""

    label: Any
    help: Any
    make: Callable[[], forms.Field]
    types: tuple[str, ...] = ("openai", "anthropic", "bedrock", "ollama")


OPTION_FIELDS: dict[str, OptionField] = {
    "extra_headers": OptionField(
        _("Extra headers"),
        _("One `name: value` a line, sent with every request. Not for credentials."),
        Lines,
    ),
    "bedrock_api": OptionField(
        _("Bedrock API"),
        _("Which of Bedrock's two interfaces is used; auto picks by model."),
        _choice("auto", "invoke", "converse"),
        ("bedrock",),
    ),
    "strict_params": OptionField(
        _("Strict parameters"),
        _("Refuse parameters that the provider lacks instead of leaving them out."),
        _flag,
    ),
    "include_usage": OptionField(
        _("Ask for usage in streams"),
        _("Off for servers that refuse `stream_options`."),
        _flag,
        ("openai", "bedrock"),
    ),
    "max_tokens_field": OptionField(
        _("Token limit field"),
        _("The name under which the server takes the limit of answer tokens."),
        _choice("max_tokens", "max_completion_tokens"),
        ("openai", "bedrock"),
    ),
    "system_role": OptionField(
        _("Role of system messages"),
        _("What the server calls them."),
        _choice("system", "developer"),
        ("openai", "bedrock"),
    ),
    "drop_params": OptionField(
        _("Parameters to leave out"),
        _("Names of request parameters that this server refuses."),
        lambda: Commas(),
        ("openai", "bedrock"),
    ),
    "organization": OptionField(
        _("Organization"),
        _("Sent as `OpenAI-Organization`."),
        forms.CharField,
        ("openai",),
    ),
    "project": OptionField(
        _("Project"), _("Sent as `OpenAI-Project`."), forms.CharField, ("openai",)
    ),
    "auto_cache": OptionField(
        _("Prompt caching"),
        _("Mark long prompts for the provider's cache."),
        _flag,
        ("anthropic",),
    ),
    "server_web_search": OptionField(
        _("Web search"),
        _("Let `web_search_options` use the provider's own search tool."),
        _flag,
        ("anthropic",),
    ),
    "structured_output": OptionField(
        _("Native structured output"),
        _("Off to emulate JSON schemas with a tool."),
        _flag,
        ("anthropic", "bedrock"),
    ),
    "request_metadata": OptionField(
        _("Pass metadata on"),
        _("Send the request's `metadata` to the provider."),
        _flag,
        ("bedrock",),
    ),
    "guardrail_id": OptionField(
        _("Guardrail"),
        _("Id or ARN of an Amazon Bedrock guardrail."),
        forms.CharField,
        ("bedrock",),
    ),
    "guardrail_version": OptionField(
        _("Guardrail version"),
        _("A number, or DRAFT."),
        forms.CharField,
        ("bedrock",),
    ),
    "guardrail_trace": OptionField(
        _("Guardrail trace"),
        _("How much the guardrail tells."),
        _choice("enabled", "disabled", "enabled_full"),
        ("bedrock",),
    ),
    "fetch_images": OptionField(
        _("Fetch images"),
        _("Download image URLs for providers that take image data only."),
        _flag,
        ("bedrock", "ollama"),
    ),
    "vision": OptionField(
        _("Images"), _("Whether the models read images."), _flag, ("bedrock", "ollama")
    ),
    "audio": OptionField(
        _("Audio"),
        _("Whether the models take audio."),
        _flag,
        ("bedrock", "ollama"),
    ),
    "stream_tools": OptionField(
        _("Streams with tools"),
        _("Off where models with tools answer in one piece only."),
        _flag,
        ("bedrock",),
    ),
    "reasoning_alias": OptionField(
        _("Reasoning under both names"),
        _("Repeat `reasoning_content` as `reasoning` in answers."),
        _flag,
    ),
    "send_reasoning_content": OptionField(
        _("Send reasoning back"),
        _("Keep `reasoning_content` of earlier turns in requests."),
        _flag,
        ("openai", "bedrock"),
    ),
}

TIMEOUT_LABELS: dict[str, Any] = {
    "connect": _("Connect"),
    "first_byte": _("First byte"),
    "silence": _("Silence in a stream"),
    "total": _("Whole stream"),
}


def form_fields() -> dict[str, forms.Field]:
    """Return new form fields by their names in the form."""
    fields: dict[str, forms.Field] = {}
    for name, option in OPTION_FIELDS.items():
        field = option.make()
        field.required = False
        field.label, field.help_text = option.label, option.help
        fields[PREFIX + name] = field
    for name in TIMEOUTS:
        fields[f"timeout_{name}"] = forms.FloatField(
            required=False, label=TIMEOUT_LABELS[name], min_value=0.001, max_value=86400
        )
    return fields


def initial(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields show for stored options."""
    shown = {}
    for name in OPTION_FIELDS:
        value = stored.get(name)
        shown[PREFIX + name] = (
            ("on" if value else "off") if isinstance(value, bool) else value
        )
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
    for name in OPTION_FIELDS:
        field = PREFIX + name
        if field not in cleaned or not given(field):
            continue
        values.pop(name, None)
        value = cleaned[field]
        if value in (None, "", [], {}):
            continue
        try:
            values[name] = options.OPTIONS[name](value)
        except ValueError as error:
            problems[field] = f"{error}".removesuffix(".").capitalize() + "."
    timeouts = values.get("timeouts") or {}
    if not isinstance(timeouts, Mapping):
        # Not from the fields: whoever checks the options says what is wrong with it.
        return values, problems
    timeouts = dict(timeouts)
    for name in TIMEOUTS:
        field = f"timeout_{name}"
        if field in cleaned and given(field):
            timeouts.pop(name, None)
            if cleaned[field] is not None:
                timeouts[name] = cleaned[field]
    values.pop("timeouts", None)
    if timeouts:
        values["timeouts"] = timeouts
    return values, problems

"""The models that somebody enters for a provider: pasted text, ids or objects."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from providers.models import ModelProvider, ProviderModel

MAX_MODELS = 2000
MAX_ID_LENGTH = 512
MAX_UPSTREAM_ID_LENGTH = 2048
MAX_PRICE = Decimal("999999")
PRICES = {
    "input": "input_price",
    "output": "output_price",
    "cached_input": "cached_input_price",
}
_KEYS = {"id", "upstream_id", "base_model", "prices", "capabilities"}


@dataclass(frozen=True)
class ModelEntry:
    """One model as entered. `overrides` is None where only the id was given.

    An entry without overrides keeps what is stored for that id; one with overrides
    (however empty) replaces it.
    """

    model_id: str
    overrides: Mapping[str, Any] | None = field(default=None)


def parse(value: Any) -> list[ModelEntry]:
    """Return the entries in `value`, in order; equal ones are merged.

    `value` is text (ids apart by commas or lines) or a list of ids and objects
    ``{id, upstream_id?, base_model?, prices?, capabilities?}``. Raises ValidationError
    with one sentence per wrong entry, which names it.
    """
    if isinstance(value, str):
        value = [part.strip(" \"'[]") for part in re.split(r"[,;\r\n\t]+", value)]
        value = [part for part in value if part]
    if not isinstance(value, list | tuple):
        raise ValidationError("Models must be a list of model ids.")
    entries: dict[str, ModelEntry] = {}
    problems: list[str] = []
    for position, item in enumerate(value):
        try:
            entry = _entry(item, position)
        except ValueError as error:
            problems.append(str(error))
            continue
        if entries.setdefault(entry.model_id, entry) != entry:
            problems.append(
                f"`{entry.model_id}` is listed twice with different settings."
            )
    if problems:
        raise ValidationError(problems[:10])
    if not entries:
        raise ValidationError("Enter at least one model id.", code="required")
    if len(entries) > MAX_MODELS:
        raise ValidationError(
            f"{len(entries)} models are more than the {MAX_MODELS} one provider holds."
        )
    return list(entries.values())


def _entry(item: Any, position: int) -> ModelEntry:
    if isinstance(item, str):
        return ModelEntry(_model_id(item, f"models[{position}]"))
    if not isinstance(item, Mapping):
        raise ValueError(f"models[{position}] must be a model id or an object.")
    unknown = [str(key) for key in item if key not in _KEYS]
    if unknown:
        raise ValueError(f"models[{position}] has the unknown field `{unknown[0]}`.")
    model_id = _model_id(item.get("id"), f"models[{position}].id")
    overrides = {
        "upstream_id": _text(item, "upstream_id", model_id, MAX_UPSTREAM_ID_LENGTH),
        "base_model": _text(item, "base_model", model_id, MAX_ID_LENGTH),
        "capabilities": _capabilities(item.get("capabilities"), model_id),
        **_prices(item.get("prices"), model_id),
    }
    return ModelEntry(model_id, overrides)


def _model_id(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where} must be a model id.")
    text = value.strip()
    if len(text) > MAX_ID_LENGTH:
        raise ValueError(
            f"`{text[:40]}…` is longer than {MAX_ID_LENGTH} characters. Give it a "
            "short id and put the long one into `upstream_id`."
        )
    if re.search(r"[\x00-\x1f\x7f,]", text):
        raise ValueError(f"`{text}` holds a comma or control character.")
    return text


def _text(item: Mapping[str, Any], key: str, model_id: str, limit: int) -> str:
    value = item.get(key) or ""
    if not isinstance(value, str) or len(value) > limit:
        raise ValueError(
            f"`{key}` of `{model_id}` must be text of {limit} characters at most."
        )
    if re.search(r"[\x00-\x1f\x7f]", value.strip()):
        raise ValueError(f"`{key}` of `{model_id}` holds a control character.")
    return value.strip()


def _prices(value: Any, model_id: str) -> dict[str, Decimal | None]:
    value = {} if value is None else value
    if not isinstance(value, Mapping) or not set(value) <= set(PRICES):
        raise ValueError(
            f"`prices` of `{model_id}` may hold input, output and cached_input "
            "(US dollars per million tokens)."
        )
    return {
        column: _price(value.get(key), key, model_id) for key, column in PRICES.items()
    }


def _price(value: Any, key: str, model_id: str) -> Decimal | None:
    if value is None or value == "":
        return None
    problem = ValueError(
        f"The {key} price of `{model_id}` must be a number of US dollars per million "
        "tokens, 0 or more, with six decimals at most."
    )
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise problem
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        raise problem from None
    if not price.is_finite() or not 0 <= price <= MAX_PRICE:
        raise problem
    if price != price.quantize(Decimal("0.000001")):
        raise problem
    return price.quantize(Decimal("0.000001"))


def _capabilities(value: Any, model_id: str) -> dict[str, Any]:
    value = {} if value is None else value
    if not isinstance(value, Mapping):
        raise ValueError(f"`capabilities` of `{model_id}` must be an object.")
    for name, setting in value.items():
        if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
            raise ValueError(
                f"`{model_id}` has a capability whose name is not a lower-case word: "
                f"{str(name)[:64]!r}."
            )
        if not _is_setting(setting):
            raise ValueError(
                f"The capability `{name}` of `{model_id}` must be true, false, text, a "
                "number or a list of texts."
            )
    return dict(value)


def _is_setting(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= 64 and all(isinstance(x, str) for x in value)
    return isinstance(value, bool | int | float | str) and len(str(value)) <= 512


def store(provider: ModelProvider, entries: Iterable[ModelEntry]) -> None:
    """Make `provider` serve exactly `entries`, in their order.

    Rows that stay keep their overrides unless the entry brings its own.
    """
    existing = {row.model_id: row for row in provider.provider_models.all()}
    for position, entry in enumerate(entries):
        row = existing.pop(entry.model_id, None) or ProviderModel(
            provider=provider, model_id=entry.model_id
        )
        before = row_values(row) if row.pk else None
        row.position = position
        for name, value in (entry.overrides or {}).items():
            setattr(row, name, value)
        if row_values(row) != before:
            row.save()
    for row in existing.values():
        row.delete()


def with_settings_of(
    source: ModelProvider, entries: Iterable[ModelEntry]
) -> list[ModelEntry]:
    """Return the entries, those without overrides with what `source` has for the id."""
    rows = {row.model_id: row_values(row) for row in source.provider_models.all()}
    for values in rows.values():
        del values["position"]
    return [
        ModelEntry(entry.model_id, rows.get(entry.model_id))
        if entry.overrides is None
        else entry
        for entry in entries
    ]


def row_values(row: ProviderModel) -> dict[str, Any]:
    """Return what may change about a stored model."""
    names = ("position", "upstream_id", "base_model", "capabilities", *PRICES.values())
    return {name: getattr(row, name) for name in names}


class ModelsField(forms.Field):
    """A form field that takes whatever `parse` takes and gives a list of entries."""

    widget = forms.Textarea

    def clean(self, value: Any) -> list[ModelEntry]:
        """Return the entries; raises ValidationError naming each wrong one."""
        return parse("" if value is None else value)

    def prepare_value(self, value: Any) -> Any:
        """Return text for the page: one id a line."""
        if isinstance(value, list | tuple):
            return "\n".join(
                str(item.get("id", "")) if isinstance(item, Mapping) else str(item)
                for item in value
            )
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether the text differs from what the page showed."""
        return str(self.prepare_value(initial) or "") != str(data or "")

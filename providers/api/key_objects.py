"""Workspace keys as `/api/v1` shows them, and what may be decided about one.

RunAgents' own API knows `name` and `expiresInDays`; `lastDay`, `models` and `paused`
are what the console's form knows beside them.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from providers.api.object_reader import ObjectError
from providers.forms import key_terms
from providers.models import NAME_RULE, WorkspaceKey

MAX_DAYS = 3650


def key_object(row: WorkspaceKey) -> dict[str, Any]:
    """Return a key without its token."""
    shown = {
        "id": str(row.pk),
        "name": row.name,
        "prefix": row.prefix,
        "last4": row.last4,
        "createdAt": row.created_at.isoformat(),
        "models": row.models,
        "paused": row.paused_at is not None,
    }
    for name, value in (
        ("lastUsedAt", row.last_used_at),
        ("expiresAt", row.expires_at),
    ):
        if value is not None:
            shown[name] = value.isoformat()
    return shown


def change(row: WorkspaceKey, body: Mapping[str, Any]) -> None:
    """Set what `body` gives (not saved); raises ObjectError naming each mistake.

    Fields that it does not name stay; unknown ones are nobody's business, as ever.
    """
    problems = []
    for name, setter in _FIELDS.items():
        if name not in body:
            continue
        try:
            setter(row, body[name])
        except ValidationError as error:
            problems.append(f"{name}: {' '.join(error.messages)}")
    if problems:
        raise ObjectError(problems)


def _name(row: WorkspaceKey, value: Any) -> None:
    NAME_RULE(value)
    row.name = str(value)


def _days(row: WorkspaceKey, days: Any) -> None:
    if days is None:
        return
    is_whole = isinstance(days, int) and not isinstance(days, bool)
    if not is_whole or not 1 <= days <= MAX_DAYS:
        raise ValidationError(f"must be 1 to {MAX_DAYS}.")
    row.expires_at = timezone.now() + timedelta(days=days)


def _last_day(row: WorkspaceKey, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise ValidationError("must be a day such as 2030-12-31, or null for none.")
    row.expires_at = key_terms.end_of(key_terms.day_of(value)) if value else None


def _models(row: WorkspaceKey, value: Any) -> None:
    entries = [] if value is None else value
    if not isinstance(entries, list) or not all(isinstance(e, str) for e in entries):
        raise ValidationError("must be a list of texts.")
    row.models = key_terms.reach_of(entries, row.models)


def _paused(row: WorkspaceKey, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValidationError("must be true or false.")
    row.paused_at = (row.paused_at or timezone.now()) if value else None


_FIELDS: dict[str, Callable[[WorkspaceKey, Any], None]] = {
    "name": _name,
    "expiresInDays": _days,
    "lastDay": _last_day,
    "models": _models,
    "paused": _paused,
}

"""The list of models as the Messages API's clients page through it.

https://platform.claude.com/docs/en/api/models-list
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.doors.messages.request.checks import invalid, wrong_type
from gateway.wire.jsontext import JSON

MOST = 1000


class Listed(NamedTuple):
    """A model: its id, who serves it, since when (RFC 3339), its longest answer."""

    id: str
    provider: str
    created_at: str
    max_tokens: int | None


def described(model: Listed) -> JSON:
    """Return one model; Claude Code's picker shows the description."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.id,
        "description": f"through {model.provider}",
        "created_at": model.created_at,
        "max_tokens": model.max_tokens,
        "max_input_tokens": None,
    }


def page(models: Sequence[Listed], query: Mapping[str, str]) -> JSON:
    """Return the page that `query` asks for; an unknown cursor leads to an empty one.

    Raises a 400 for a limit that is none.
    """
    limit = _limit(query.get("limit", str(MOST)))
    found, has_more = _window(models, query, limit)
    return {
        "data": [described(model) for model in found],
        "has_more": has_more,
        "first_id": found[0].id if found else None,
        "last_id": found[-1].id if found else None,
    }


def _window(
    models: Sequence[Listed], query: Mapping[str, str], limit: int
) -> tuple[Sequence[Listed], bool]:
    """Return as many models as are asked for, and whether there are more."""
    places = {model.id: place for place, model in enumerate(models)}
    if before := query.get("before_id"):
        end = places.get(before, 0)
        return models[max(0, end - limit) : end], end > limit
    start = 0
    if after := query.get("after_id"):
        start = places.get(after, len(models)) + 1
    return models[start : start + limit], len(models) > start + limit


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise wrong_type("limit", "integer")
    limit = int(text[:9])
    if not 1 <= limit <= MOST:
        raise invalid("limit", f"Input should be between 1 and {MOST}")
    return limit

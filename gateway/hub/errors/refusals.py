"""Reads an upstream's error body, whatever its shape.

``{"error": {"message": ...}}`` and the like, the same within a list, and the flat
``{"error": "..."}``, ``{"detail": ...}``, ``{"message": ...}``, ``{"__type": ...}``.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.hub.errors.masking import mask

_READ = 8000  # what the patterns look at, so that an upstream cannot make them slow
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


class Refusal(NamedTuple):
    """What an upstream's error body says, whatever its shape."""

    kinds: tuple[str, ...] = ()
    message: str = ""
    param: str | None = None
    code: str | None = None
    status: int = 0


def read(body: Any, kind: str = "") -> Refusal:
    """Return what `body` says."""
    if isinstance(body, list) and body:
        body = body[0]
    kinds = [kind] if kind else []
    if isinstance(body, str):
        return Refusal(_normal(kinds), body[:_READ])
    if not isinstance(body, dict):
        return Refusal(_normal(kinds))
    objects = list(_objects(body))
    for item in objects:
        details = item.get("details")
        if isinstance(details, dict):
            kinds.append(details.get("error_code") or "")
        kinds += [item.get(key) or "" for key in ("code", "type", "__type", "status")]
    code = next((c for o in objects if (c := _code(o.get("code")))), None)
    param = next((p for o in objects if isinstance(p := o.get("param"), str)), None)
    return Refusal(
        _normal(kinds),
        next((text for item in objects if (text := _text(item))), "")[:_READ],
        param and mask(param[:200]),
        code,
        next((s for item in objects if (s := _status(item))), 0),
    )


def _objects(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the object that describes the error, innermost first."""
    for key in ("error", "Output", "message"):
        if isinstance(inner := body.get(key), dict):
            yield from _objects(inner)
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        yield errors[0]
    yield body


def _text(item: dict[str, Any]) -> str:
    for key in ("message", "Message", "errorMessage", "error", "detail"):
        value = item.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list):
            return _listed(value)
    return ""


def _listed(details: list[Any]) -> str:
    """Return FastAPI's validation errors as one line."""
    lines = []
    for detail in details[:20]:
        if isinstance(detail, str):
            lines.append(detail)
        elif isinstance(detail, dict) and isinstance(detail.get("msg"), str):
            place = detail.get("loc")
            path = ".".join(map(str, place)) if isinstance(place, list) else ""
            lines.append(f"{path}: {detail['msg']}" if path else detail["msg"])
    return "; ".join(lines)


def _normal(kinds: list[Any]) -> tuple[str, ...]:
    """``ns#ThrottlingException:http://...`` and the like to a bare lower-case name."""
    names = [
        kind.partition(":")[0].rpartition("#")[2].strip().lower()
        for kind in kinds
        if isinstance(kind, str)
    ]
    return tuple(name for name in names if name)


def _code(value: Any) -> str | None:
    if isinstance(value, str) and _CODE.fullmatch(value):
        return value
    return None


def _status(item: dict[str, Any]) -> int:
    for key in ("originalStatusCode", "status", "status_code", "code"):
        value = item.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:6])
        if type(value) is int and 400 <= value < 600:
            return value
    return 0

"""The shapes in which servers tell of an error, and where in them it stands.

OpenAI's ``{"error": {...}}``; the same within a list, as text, in JSON within a text,
or within what another gateway wraps around it; flat ones with a message and a code; and
codes of a vendor's own beside an empty answer.
"""

from collections.abc import Iterator
from typing import Any

from gateway.wire.jsontext import JSON, JSONError, decode

_TEXTS = (
    "message",
    "Message",
    "errorMessage",
    "error_message",
    "error_msg",
    "status_msg",
    "msg",
    "error",
    "detail",
    "errors",
    "title",
)
_INNER = (
    "error",
    "Error",
    "message",
    "detail",
    "details",
    "errors",
    "Output",
    "Response",
    "base_resp",
    "innererror",
    "metadata",
    "raw",
)
"""Where the error stands that another one, or an envelope, is about."""

_LISTS = ("error", "errors", "details")
_JSON_INSIDE = ("message", "raw", "detail", "error", "msg")
_DEEPEST = 6
_LONGEST_JSON = 64 * 1024

_SUCCESSES = frozenset({"", "0", "200", "ok", "success", "succeeded"})
_CODES = ("code", "status_code", "error_code", "status", "Code")
_FAILED = frozenset({"error", "failed", "failure", "fail"})
_ENVELOPE = frozenset(
    {*_TEXTS, *_CODES, "type", "param", "object", "instance", "success", "timestamp"}
    | {"path", "request_id", "requestId", "trace_id", "id", "data", "choices", "model"}
)
"""All that a flat error holds: anything else makes it an event of another kind."""


def is_error(found: Any) -> bool:
    """Tell whether a decoded object tells of an error, by its shape.

    Not by a key alone: progress and log events have messages, details and codes, too,
    and a good answer may carry ``"error": null`` or a code that says success. What
    holds choices is an answer unless it has an error beside them.
    """
    if not isinstance(found, dict):
        return False
    if found.get("error") or _fails(found.get("base_resp"), "status_code"):
        return True
    if found.get("choices"):
        return False
    if found.get("errors") or "__type" in found or "error" in _kinds(found):
        return True
    if any(isinstance(found.get(key), dict) for key in ("Output", "Response")):
        return any(map(_is_told, objects(found)))
    return _is_told(found) and (
        _fails(found, "error_code") or _is_failure(found) or _is_bare(found)
    )


def objects(body: JSON, depth: int = _DEEPEST) -> Iterator[JSON]:
    """Yield the objects that describe an error, innermost first."""
    if depth:
        for key in _INNER:
            for inner in _within(key, body.get(key)):
                yield from objects(inner, depth - 1)
    yield body


def text_of(item: JSON) -> str:
    """Return what one of these objects says, empty where it says nothing."""
    for key in _TEXTS:
        value = item.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list) and (text := _listed(value)):
            return text
    raw = item.get("raw")
    return raw if isinstance(raw, str) else ""


def _within(key: str, value: Any) -> Iterator[JSON]:
    """Yield the objects that a value holds, those written in its text among them."""
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list) and key in _LISTS:
        yield from (each for each in value[:4] if isinstance(each, dict))
    elif isinstance(value, str) and key in _JSON_INSIDE and "{" in value:
        inner = _json_in(value)
        if inner is not None and is_error(inner):
            yield inner


def _json_in(text: str) -> Any:
    """Return the object that stands in a text, None where there is none.

    Gateways put the answer of whom they called behind a sentence of their own.
    """
    start, end = text.find("{"), text.rfind("}")
    if not start < end < _LONGEST_JSON:
        return None
    try:
        return decode(text[start : end + 1].encode(errors="replace"))
    except JSONError:
        return None


def _listed(details: list[Any]) -> str:
    """Return FastAPI's validation errors, and the like, as one line."""
    lines = []
    for detail in details[:20]:
        if isinstance(detail, str):
            lines.append(detail)
        elif isinstance(detail, dict):
            text = detail.get("msg") or detail.get("message")
            if isinstance(text, str):
                place = detail.get("loc")
                path = ".".join(map(str, place)) if isinstance(place, list) else ""
                lines.append(f"{path}: {text}" if path else text)
    return "; ".join(lines)


def _kinds(found: JSON) -> set[Any]:
    return {
        value for key in ("object", "type") if isinstance(value := found.get(key), str)
    }


def _is_told(found: JSON) -> bool:
    return bool(text_of(found))


def _fails(found: Any, key: str) -> bool:
    """Tell whether a code is there and says something else than success."""
    if not isinstance(found, dict):
        return False
    code = found.get(key)
    return (
        isinstance(code, int | str)
        and not isinstance(code, bool)
        and str(code).strip().lower() not in _SUCCESSES
    )


def _is_failure(found: JSON) -> bool:
    """Tell whether an object with a message says that something failed."""
    if found.get("success") is False or str(found.get("status")).lower() in _FAILED:
        return True
    if status_of(found):
        return True
    return _fails(found, "code") and found.keys() <= _ENVELOPE


def _is_bare(found: JSON) -> bool:
    """Tell whether an object holds nothing beside a text: what else would it be?"""
    return found.keys() <= {"message", "Message", "detail", "errorMessage", "error_msg"}


def status_of(item: JSON) -> int:
    """Return the HTTP status of a failure that such an object tells, 0 if none."""
    for key in ("originalStatusCode", *_CODES):
        value = item.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:6])
        if type(value) is int and 400 <= value < 600:
            return value
    return 0

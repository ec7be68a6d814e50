"""Reads an upstream's error body, whatever its shape."""

import re
from typing import Any, NamedTuple

from gateway.hub.errors.delays import delay_in, delay_of
from gateway.hub.errors.masking import mask
from gateway.hub.errors.shapes import objects, status_of, text_of
from gateway.wire.jsontext import JSON

_READ = 8000  # what the patterns look at, so that an upstream cannot make them slow
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

_KINDS = ("code", "Code", "type", "__type", "status", "reason", "error_code")
_NUMBERED = ("code", "error_code", "status_code")


class Refusal(NamedTuple):
    """What an upstream's error body says, whatever its shape.

    A number that names the kind of an error stands among `kinds` behind the key that
    it was found under: vendors number their errors each in another way.
    """

    kinds: tuple[str, ...] = ()
    message: str = ""
    param: str | None = None
    code: str | None = None
    status: int = 0
    delay: int = 0
    """Whole seconds after which to try again, 0 where none are told."""


def read(body: Any, kind: str = "") -> Refusal:
    """Return what `body` says; `kind` is the name that came beside it."""
    if isinstance(body, list) and body:
        body = body[0]
    kinds = [kind] if kind else []
    if isinstance(body, str):
        return Refusal(_normal(kinds), body[:_READ], delay=delay_in(body[:_READ]))
    if not isinstance(body, dict):
        return Refusal(_normal(kinds))
    found = list(objects(body))
    for item in found:
        kinds += [item[key] for key in _KINDS if isinstance(item.get(key), str)]
    param = next((p for o in found if isinstance(p := o.get("param"), str)), None)
    message = next((text for item in found if (text := text_of(item))), "")[:_READ]
    return Refusal(
        _normal(kinds) + tuple(name for item in found for name in _numbers(item)),
        message,
        param and mask(param[:200]),
        next((code for item in found if (code := _code(item.get("code")))), None),
        next((status for item in found if (status := status_of(item))), 0),
        delay_of(found) or delay_in(message),
    )


def _numbers(item: JSON) -> list[str]:
    """Return the numbers by which an object names its kind, each behind its key."""
    numbers = []
    for key in _NUMBERED:
        value = str(item.get(key))
        if value.isascii() and value.isdigit() and len(value) < 10:
            numbers.append(f"{key} {value}")
    return numbers


def _normal(kinds: list[str]) -> tuple[str, ...]:
    """``ns#ThrottlingException:http://...`` and the like to a bare lower-case name."""
    names = [
        kind.partition(":")[0].rpartition("#")[2].strip().lower() for kind in kinds
    ]
    return tuple(name for name in names if name)


def _code(value: Any) -> str | None:
    if isinstance(value, str) and _CODE.fullmatch(value):
        return value
    return None

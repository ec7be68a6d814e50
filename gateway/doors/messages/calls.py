"""Ids, names and inputs of tool calls, on the way out and on the way back.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from gateway.wire.jsontext import JSON, JSONError, decode

OURS = "gwid_"
"""What stands before an id that the Messages API's alphabet cannot say."""

RAW = "_raw_arguments"
"""Where arguments stand that are no JSON: the client sees what the model wrote."""

VALUE = "value"
"""Where arguments stand that are JSON, but no object."""

_is_plain_id = re.compile(r"[a-zA-Z0-9_-]{1,200}").fullmatch


def client_id(id: Any, completion_id: str, ordinal: int) -> str:
    """Return the id that the client gets for the upstream's `id`.

    The client brings it back, and `upstream_id` finds the upstream's own again: some
    servers know their calls by ids such as ``functions.Bash:0`` alone.
    https://github.com/BerriAI/litellm/issues/34522
    """
    if not isinstance(id, str) or not id:
        made = sha256(f"{completion_id}:{ordinal}".encode()).hexdigest()
        return f"toolu_{made[:24]}"
    if _is_plain_id(id) and not id.startswith(OURS):
        return id
    return OURS + urlsafe_b64encode(id.encode()).decode().rstrip("=")


def upstream_id(id: str) -> str:
    """Return the upstream's id for one that the client brings back."""
    if not id.startswith(OURS):
        return id
    coded = id.removeprefix(OURS)
    try:
        return urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except ValueError:
        return id


def input_of(arguments: Any) -> JSON:
    """Return a call's arguments as the object that `input` always is."""
    text = arguments if isinstance(arguments, str) else ""
    if not text.strip():
        return arguments if isinstance(arguments, dict) else {}
    value = _decoded(text)
    if isinstance(value, str):
        # Some models write the object as a text within the text.
        inner = _decoded(value)
        value = inner if isinstance(inner, dict) else value
    if isinstance(value, dict):
        return value
    return {RAW: text} if value is _NO_JSON else {VALUE: value}


_NO_JSON = object()


def _decoded(text: str) -> Any:
    try:
        return decode(text.encode())
    except (*JSONError, UnicodeEncodeError):
        return _NO_JSON


def is_broken(arguments: Any) -> bool:
    """Tell whether arguments are cut off: text that is no JSON."""
    return isinstance(arguments, str) and RAW in input_of(arguments)

"""Requests as they may be kept (LOG_BODIES=1): redacted and cut, off their path."""

import re
from typing import Any

from gateway.wire import jsontext
from providers import key_shapes

MAX_TEXT = 4000
MAX_BODY = 128 * 1024
# What of a text is searched for keys: one that begins before the cut ends behind it.
_READ = 2 * MAX_TEXT

_DATA_URL = re.compile(r"data:[a-z0-9.+/-]{3,80};base64,[A-Za-z0-9+/=]{64,}", re.I)


def kept(body: Any) -> str:
    """Return a request's body as the text to keep: JSON, redacted, long parts cut."""
    text = jsontext.dumps(_cut(body))
    if len(text) > MAX_BODY:
        return f"{text[:MAX_BODY]}… [{len(text) - MAX_BODY} characters more]"
    return text


def _cut(value: Any, name: str = "") -> Any:
    """Return `value` as it may be kept where it stands under `name`."""
    match value:
        case str():
            return _cut_text(_DATA_URL.sub("[file]", value), name)
        case list():
            return [_cut(part, name) for part in value]
        case dict():
            return {
                key_shapes.redacted(str(name)): _cut(part, str(name))
                for name, part in value.items()
            }
    return value


def _cut_text(text: str, name: str) -> str:
    shown = key_shapes.redacted_under(name, text[:_READ])
    more = max(len(text) - _READ, 0) + max(len(shown) - MAX_TEXT, 0)
    return f"{shown[:MAX_TEXT]}… [{more} characters more]" if more else shown

"""Bodies of calls as they may be kept: redacted and cut, off their path."""

import re
from typing import Any

from gateway.wire import jsontext
from providers import key_shapes

MAX_TEXT = 64 * 1024
MAX_BODY = 128 * 1024
# What of a text is searched for keys: one that begins before the cut ends behind it.
_READ = 2 * MAX_TEXT
# What of one body goes to the spool: twice what is kept, as redaction shortens it.
_MOST = 2 * MAX_BODY
_COST_OF_VALUE = 8
_SHORTENED = re.compile(r"… \[(\d{1,15}) characters more\]\Z")

_SEALED = "encrypted_content"
"""Under this name stands what only who sealed it can read: its beginning is enough."""
_MAX_SEALED = 40

_DATA_URL = re.compile(r"data:[a-z0-9.+/-]{3,80};base64,[A-Za-z0-9+/=]{64,}", re.I)


def cut(body: Any) -> Any:
    """Return a copy of `body` without what `kept` would leave out for its length.

    For the way to the spool, which a call pays for: 128 KiB are kept of 20 MB. What is
    searched for keys stays whole; of all texts together no more than `_MOST` does.
    """
    return _shortened(body, [_MOST])


def _shortened(value: Any, left: list[int]) -> Any:
    """Return `value` with its texts shortened, while any of `left` is left for them."""
    left[0] -= _COST_OF_VALUE
    match value:
        case str():
            short = value[: min(_READ, max(left[0], 0))]
            left[0] -= len(short)
            more = len(value) - len(short)
            return f"{short}… [{more} characters more]" if more else value
        case list():
            parts = [_shortened(part, left) for part in value if left[0] > 0]
            return parts if len(parts) == len(value) else [*parts, "…"]
        case dict():
            return {
                name: _shortened(part, left)
                for name, part in value.items()
                if left[0] > 0
            }
    return value


def kept(body: Any) -> str:
    """Return a body as the text to keep: JSON, redacted, long parts cut."""
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
    if name == _SEALED and len(text) > _MAX_SEALED:
        more = len(text) - _MAX_SEALED
        return f"{text[:_MAX_SEALED]}… [{more} characters more]"
    gone = 0
    if shortened := _SHORTENED.search(text, max(len(text) - 40, 0)):
        text = text[: shortened.start()]
        # The rest of a file is a file, too.
        gone = 0 if text.endswith("[file]") else int(shortened[1])
    shown = key_shapes.redacted_under(name, text[:_READ])
    more = gone + max(len(text) - _READ, 0) + max(len(shown) - MAX_TEXT, 0)
    return f"{shown[:MAX_TEXT]}… [{more} characters more]" if more else shown

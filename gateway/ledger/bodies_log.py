"""Requests as they may be kept (LOG_BODIES=1): redacted and cut, off their path."""

import re
from typing import Any

from gateway.wire import jsontext

MAX_TEXT = 4000
MAX_BODY = 128 * 1024

# Anything shaped like a key or token of ours, of a vendor, or of AWS.
_SECRETS = re.compile(
    r"\b(?:ra_(?:ag|ws)_[A-Za-z0-9]{8,}|(?:sk|pk|rk|gsk|xai)[-_][A-Za-z0-9_-]{8,}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}|A[KS]IA[A-Z0-9]{12,}|AIza[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{8,})|(?i:bearer)\s+[A-Za-z0-9._~+/=-]{8,}"
)
_DATA_URL = re.compile(r"data:[a-z0-9.+/-]{3,80};base64,[A-Za-z0-9+/=]{64,}", re.I)
_REDACTED = "[redacted]"


def kept(body: Any) -> str:
    """Return a request's body as the text to keep: JSON, redacted, long parts cut."""
    text = jsontext.dumps(_cut(body))
    if len(text) > MAX_BODY:
        return f"{text[:MAX_BODY]}… [{len(text) - MAX_BODY} characters more]"
    return text


def _cut(value: Any) -> Any:
    match value:
        case str():
            value = _DATA_URL.sub("[file]", value)
            value = _SECRETS.sub(_REDACTED, value)
            if len(value) > MAX_TEXT:
                more = len(value) - MAX_TEXT
                value = f"{value[:MAX_TEXT]}… [{more} characters more]"
            return value
        case list():
            return [_cut(part) for part in value]
        case dict():
            return {str(name): _cut(part) for name, part in value.items()}
    return value

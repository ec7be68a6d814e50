"""What the form calls *Advanced*: a provider's options, their types and defaults.

The same names stand in `spec.options` of the HTTP API and in the registry file. Those
that change how requests are translated are explained in docs/translation.md.
"""

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
MAX_HEADER_VALUE = 8192
MAX_EXTRA_HEADERS = 50
MAX_SECONDS = 86_400

# Headers that frame the message, carry somebody else's identity or reach a metadata
# service; an administrator cannot set them.
FORBIDDEN_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "content-encoding",
        "accept-encoding",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "cookie",
        "set-cookie",
        "via",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-real-ip",
        "metadata",
        "metadata-flavor",
        "x-google-metadata-request",
        "x-aws-ec2-metadata-token",
        "x-aws-ec2-metadata-token-ttl-seconds",
    }
)
CREDENTIAL_HEADERS = frozenset(
    {
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "ocp-apim-subscription-key",
    }
)
FORBIDDEN_HEADER_PREFIXES = ("proxy-", "x-forwarded-")


class HeaderError(ValueError):
    """A header that may not be sent; `field` is the form field that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_header(name: str, value: str) -> None:
    """Raise HeaderError unless `name: value` may be sent to an upstream."""
    if not name:
        raise HeaderError("header_name", "Enter the header that carries the key.")
    if not HEADER_NAME.fullmatch(name):
        raise HeaderError("header_name", f"`{name[:128]}` is not a header name.")
    lower = name.lower()
    if lower in FORBIDDEN_HEADERS or lower.startswith(FORBIDDEN_HEADER_PREFIXES):
        raise HeaderError("header_name", f"The header {name} cannot be set.")
    if len(value) > MAX_HEADER_VALUE:
        raise HeaderError("value_prefix", f"Longer than {MAX_HEADER_VALUE} characters.")
    if re.search(r"[^\x20-\x7e]", value):
        raise HeaderError(
            "value_prefix", "Only printable ASCII characters are allowed."
        )


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _seconds(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= MAX_SECONDS:
        raise ValueError(
            f"must be a number of seconds, above 0 and up to {MAX_SECONDS}"
        )
    return float(value)


def _choice(*allowed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return check


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("must map header names to values")
    if len(value) > MAX_EXTRA_HEADERS:
        raise ValueError(f"may hold {MAX_EXTRA_HEADERS} headers at most")
    for name, text in value.items():
        if not isinstance(text, str):
            raise ValueError(f"{name} must be text")
        check_header(name, text)
        if name.lower() in CREDENTIAL_HEADERS:
            raise ValueError(f"{name} carries credentials: use the secret for it")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1024:
        raise ValueError("must be text of at most 1,024 characters")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
        raise ValueError("must be a list of texts")
    return value


def _timeouts(value: Any) -> dict[str, float]:
    known = {"connect", "first_byte", "silence", "total"}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValueError(f"may hold {', '.join(sorted(known))}")
    return {name: _seconds(seconds) for name, seconds in value.items()}


OPTIONS: dict[str, Callable[[Any], Any]] = {
    "extra_headers": _headers,
    "timeouts": _timeouts,
    "bedrock_api": _choice("auto", "invoke", "converse"),
    "strict_params": _flag,
    "include_usage": _flag,
    "auto_cache": _flag,
    "server_web_search": _flag,
    "request_metadata": _flag,
    "structured_output": _flag,
    "fetch_images": _flag,
    "stream_tools": _flag,
    "vision": _flag,
    "audio": _flag,
    "reasoning_alias": _flag,
    "send_reasoning_content": _flag,
    "drop_params": _texts,
    "max_tokens_field": _choice("max_tokens", "max_completion_tokens"),
    "system_role": _choice("system", "developer"),
    "organization": _text,
    "project": _text,
    "guardrail_id": _text,
    "guardrail_version": _text,
    "guardrail_trace": _choice("enabled", "disabled", "enabled_full"),
}


def clean(value: Any) -> dict[str, Any]:
    """Return the options checked; raises ValidationError that names each wrong one."""
    if not isinstance(value, dict):
        raise ValidationError("Options must be an object.")
    problems, cleaned = [], {}
    for name, setting in value.items():
        if name not in OPTIONS:
            problems.append(f"Unknown option `{name}`.")
            continue
        if setting is None:
            continue
        try:
            cleaned[name] = OPTIONS[name](setting)
        except ValueError as error:
            problems.append(f"Option `{name}` {error}.")
    if problems:
        raise ValidationError(problems)
    return cleaned

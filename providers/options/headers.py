"""Which headers an administrator may set, be it for a key or beside it."""

import re

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
MAX_HEADER_VALUE = 8192

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

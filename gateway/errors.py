"""What goes wrong, in OpenAI's terms.

One exception class for every failure an agent may see. It is raised where the failure
is known and caught once, at the request's or the stream's edge, where the door that the
request came in by puts it into the client's format.
Error types and codes: https://platform.openai.com/docs/guides/error-codes
"""

from collections.abc import Mapping
from typing import Any

UNKNOWN_URL = "unknown_url"
"""Code of what an API does not have at all, whatever is asked of it."""


class GatewayError(Exception):
    """A failure with an HTTP status and what OpenAI's error objects hold.

    `headers` go out with the response (``Retry-After``, ``x-should-retry``). `message`
    is shown to the caller: it never holds a URL, a header, HTML or a credential. `told`
    is the upstream's own error object, for clients that speak its format.
    """

    def __init__(
        self,
        status: int,
        type: str,
        message: str,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.message = message
        self.code = code
        self.param = param
        self.headers: dict[str, str] = dict(headers or {})
        self.told = told


def invalid_request(
    message: str, *, param: str | None = None, code: str | None = None
) -> GatewayError:
    """Return a 400: the request itself is wrong; `param` names the field."""
    return GatewayError(400, "invalid_request_error", message, code, param)


def unsupported(message: str, *, param: str) -> GatewayError:
    """Return a 400 for a valid field that this upstream cannot express."""
    return invalid_request(message, param=param, code="unsupported_parameter")


def upstream_error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> GatewayError:
    """Return a 5xx: the provider, not the caller, failed."""
    return GatewayError(status, "server_error", message, code, headers=headers)

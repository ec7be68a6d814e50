"""What goes wrong, as clients of responses are told.

Over HTTP it is OpenAI's envelope, as at the chat door. Inside a stream an `error` event
tells it in both shapes that clients read, and `response.failed` once more, since Codex
reads that alone.
https://platform.openai.com/docs/guides/error-codes
"""

from gateway.doors.protocol import Sent
from gateway.doors.responses.reading import is_codex
from gateway.errors import GatewayError
from gateway.hub.protocol import JSON

SENT_AGAIN = frozenset({403, 413, 422})
"""Statuses that Codex answers with six requests, where one has told it all."""

NEVER_AGAIN = "x-should-retry"

_KEPT = frozenset(
    {"context_length_exceeded", "rate_limit_exceeded", "insufficient_quota"}
)
_RETRIED = "server_error"
"""Codex ends a turn at what it knows to be final, and tries this again."""

_FINAL_FOR_CODEX = "invalid_prompt"
"""Codex shows the message of this once, and stops."""


def status_for(error: GatewayError, sent: Sent) -> int:
    """Return the status of a refusal.

    Codex asks up to thirty times where nothing will change, unless it is a 400.
    """
    if error.status in (400, 429) or not is_codex(sent):
        return error.status
    final = error.headers.get(NEVER_AGAIN) == "false"
    return 400 if final or error.status in SENT_AGAIN else error.status


def stream_error(error: GatewayError) -> JSON:
    """Return the fields of an `error` event."""
    told = {"code": error.code, "message": error.message, "param": error.param}
    return {**told, "error": {"type": error.type, **told}}


def failed_error(error: GatewayError, *, is_codex: bool) -> JSON:
    """Return the `error` of a response that failed."""
    code = error.code or error.type
    message = error.message
    if code == "rate_limit_exceeded":
        message = _with_delay(message, error.headers.get("retry-after"))
    elif code not in _KEPT:
        code = _code(error, code, is_codex=is_codex)
    return {"code": code, "message": message}


def _code(error: GatewayError, code: str, *, is_codex: bool) -> str:
    if error.status >= 500 and error.code != "upstream_auth_error":
        return _RETRIED
    return _FINAL_FOR_CODEX if is_codex else code


def _with_delay(message: str, seconds: str | None) -> str:
    """Return a message that ends with the delay, in the words that Codex looks for."""
    if not seconds or not seconds.isdigit():
        return message
    return f"{message} Please try again in {seconds}s."

"""OpenAI's error envelope, which several of its formats share.

https://platform.openai.com/docs/guides/error-codes
"""

from gateway.doors.protocol import JSON, NOTHING_SENT, Sent
from gateway.errors import GatewayError


def render_error(error: GatewayError, sent: Sent = NOTHING_SENT) -> JSON:
    """Return OpenAI's error envelope; all four keys are always present."""
    return {
        "error": {
            "message": error.message,
            "type": error.type,
            "param": error.param,
            "code": error.code,
        }
    }

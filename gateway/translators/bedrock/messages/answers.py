"""Whole answers of Claude on Bedrock as messages.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
"""

from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.anthropic.relay import whole
from gateway.translators.bedrock.converse import to_claude
from gateway.translators.bedrock.errors import WORDS
from gateway.translators.bedrock.messages.errors import unwrapped


def checked(payload: JSON) -> JSON:
    """Return the message in InvokeModel's answer; raises `GatewayError` without one."""
    _refuse(payload)
    return whole.checked(payload)


def from_converse(payload: JSON, reply: Reply) -> JSON:
    """Return the message in Converse's answer; raises `GatewayError` without one."""
    _refuse(payload)
    return to_claude.message(payload, reply)


def _refuse(payload: JSON) -> None:
    """Raise what an answer with status 200 says that is an error all the same."""
    if "__type" in payload or isinstance(payload.get("Output"), dict):
        error: GatewayError = upstream_errors.instead_of_answer(payload, WORDS)
        raise unwrapped(error)

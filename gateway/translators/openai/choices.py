"""What choices of answers have in common, whole and streamed.

They are made regular where compatible servers are not.
https://platform.openai.com/docs/api-reference/chat/object
"""

from typing import Any

from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.openai.errors import WORDS

_REASONING = (("reasoning_content", "reasoning"), ("reasoning", "reasoning_content"))

_OWN_REASONS = frozenset(
    {"stop", "length", "tool_calls", "content_filter", "function_call"}
)
_FINISH_REASONS = {
    "end_turn": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "safety": "content_filter",
    **{reason: reason for reason in _OWN_REASONS},
}
"""Words of compatible servers that OpenAI's clients do not know, in lower case."""


def with_both_names(message: JSON) -> JSON:
    """Return a message or delta with its reasoning under both names that servers use.

    DeepSeek, vLLM and others say `reasoning_content`, OpenRouter and Groq `reasoning`.
    """
    for name, other in _REASONING:
        if isinstance(text := message.get(name), str) and not message.get(other):
            return {**message, other: text}
    return message


def put_finish_reason(choice: JSON) -> None:
    """Give a choice the reason to end in OpenAI's words; None where it does not end."""
    reason = choice.get("finish_reason")
    if not reason and isinstance(details := choice.get("finish_details"), dict):
        # How the first vision models told it.
        reason = details.get("type")
    if not isinstance(reason, str):
        reason = None
    elif reason not in _OWN_REASONS and reason.lower() in _FINISH_REASONS:
        choice.setdefault("native_finish_reason", reason)
        reason = _FINISH_REASONS[reason.lower()]
    choice["finish_reason"] = reason or None


def failure_of(choice: JSON) -> GatewayError | None:
    """Return the error that a choice ended with, None where it did not.

    OpenRouter ends with ``error`` what failed on its way:
    https://openrouter.ai/docs/api-reference/errors
    """
    error: Any = choice.get("error")
    if error or choice.get("finish_reason") == "error":
        return upstream_errors.from_object(error, WORDS)
    return None

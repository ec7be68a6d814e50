"""OpenAI's whole answer, made regular where compatible servers are not.

https://platform.openai.com/docs/api-reference/chat/object
"""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers import reply_rules
from gateway.hub.errors import upstream_errors
from gateway.hub.errors.meanings import NO_ANSWER
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai.choices import put_finish_reason, with_both_names
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.parts import with_plain_content


def parse_response(payload: JSON, headers: Mapping[str, str], reply: Reply) -> JSON:
    """Return the answer with the client's model name and a complete envelope."""
    if not isinstance(payload, dict):
        raise upstream_errors.no_answer("is not a JSON object")
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices:
        raise _inner_error(payload)
    completion = {
        **payload,
        "id": payload.get("id") or reply.completion_id,
        "object": "chat.completion",
        "created": payload.get("created") or reply.created,
        "model": reply.model,
        "choices": [_choice(choice, index) for index, choice in enumerate(choices)],
    }
    if reply.options.get("reasoning_alias"):
        for choice in completion["choices"]:
            choice["message"] = with_both_names(choice["message"])
    return reply_rules.whole(completion, reply)


def _choice(choice: Any, index: int) -> JSON:
    if not isinstance(choice, dict):
        raise upstream_errors.no_answer("has a choice that is not an object")
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _inner_error(choice)
    built: JSON = {"index": index, **choice}
    built["message"] = _message(message)
    put_finish_reason(built)
    return built


def _message(message: JSON) -> JSON:
    """Return the message as OpenAI's clients expect it of some servers."""
    if not message.get("role"):
        message = {**message, "role": "assistant"}
    if type(message.get("content")) is list:
        message = {"content": None, **with_plain_content(message)}
    calls = message.get("tool_calls")
    if isinstance(calls, list) and any(_is_untyped(call) for call in calls):
        typed = [
            {**call, "type": "function"} if _is_untyped(call) else call
            for call in calls
        ]
        message = {**message, "tool_calls": typed}
    return message


def _is_untyped(call: Any) -> bool:
    return isinstance(call, dict) and "function" in call and not call.get("type")


def _inner_error(found: JSON) -> GatewayError:
    """Return the error for a 200 without an answer."""
    error = upstream_errors.found_in(found, WORDS, default=NO_ANSWER)
    return error or upstream_errors.no_answer("holds no choices")

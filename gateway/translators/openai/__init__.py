"""OpenAI and everything that speaks its format: passthrough.

Only what must change is touched: the model's name, what only this gateway understands,
and what the provider's options ask for (docs/translation.md). Unknown fields go both
ways as they are.

https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers import reply_rules
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import (
    JSON,
    Reply,
    Route,
    StreamParser,
    UpstreamRequest,
)
from gateway.hub.requests.extra_body import with_extra_body
from gateway.hub.requests.losses import Losses
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.parts import with_plain_content
from gateway.translators.openai.stream import (
    FINISH_REASONS,
    ChunkStream,
    with_both_names,
)

PATH = "/v1/chat/completions"

_OWN_MESSAGE_FIELDS = frozenset({"thinking_blocks", "is_error"})
"""Message fields that only this gateway's translations know."""

_LIMITS = ("max_completion_tokens", "max_tokens")


def render_request(body: JSON, route: Route) -> UpstreamRequest:
    """Return `body` for the upstream; raises a 400 only under `strict_params`."""
    losses = Losses(route)
    request, reply = render_body(body, route, losses)
    headers = _headers(route.options, reply.stream)
    return UpstreamRequest(PATH, request, reply, headers, losses.dropped)


def render_body(body: JSON, route: Route, losses: Losses) -> tuple[JSON, Reply]:
    """Return what every host of the format is sent.

    Raises a 400 only under `strict_params`.
    """
    options = route.options
    request = dict(with_extra_body(body))
    request.pop("extra_body", None)  # one within the other
    request["model"] = route.upstream_model
    for param in options.get("drop_params") or ():
        if request.pop(param, None) is not None:
            losses.drop(param)
    _rename_limit(request, options.get("max_tokens_field"))
    if "messages" in request:
        request["messages"] = _messages(request["messages"], options)
    reply = Reply.of(request, route)
    if reply.stream:
        _ask_for_usage(request, route)
    return request, reply


def remote_urls(body: JSON, route: Route) -> list[str]:
    """Return nothing: the upstream fetches images by itself."""
    return []


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


def stream_parser(reply: Reply) -> StreamParser:
    """Return a parser of OpenAI's server-sent events."""
    return reply_rules.stream(ChunkStream(reply), reply)


def parse_error(
    status: int, headers: Mapping[str, str], payload: bytes
) -> GatewayError:
    """Return the upstream's refusal in the caller's terms."""
    return upstream_errors.from_response(status, headers, payload, WORDS)


def _rename_limit(request: JSON, field: Any) -> None:
    """Send the output limit under the one name that the upstream knows."""
    if field not in _LIMITS:
        return
    given = [request.pop(name) for name in _LIMITS if name in request]
    limits = [limit for limit in given if limit is not None]
    if limits:
        request[field] = limits[0]


def _messages(messages: Any, options: Mapping[str, Any]) -> Any:
    """Return the messages, copied only where one must change."""
    if not isinstance(messages, list):
        return messages
    removed = _OWN_MESSAGE_FIELDS
    if options.get("send_reasoning_content") is False:
        removed = removed | {"reasoning_content"}
    role = options.get("system_role")
    return [_message(message, removed, role) for message in messages]


def _message(message: Any, removed: frozenset[str], role: str | None) -> Any:
    if not isinstance(message, dict):
        return message
    if not removed.isdisjoint(message):
        message = {key: message[key] for key in message if key not in removed}
    if role and message.get("role") in ("system", "developer"):
        message = {**message, "role": role}
    return message


def _ask_for_usage(request: JSON, route: Route) -> None:
    """Ask for usage in a stream, whether or not the client did.

    The ledger counts every call; the client does not see what it did not ask for.
    """
    refused = "stream_options" in route.avoid
    if refused or route.options.get("include_usage") is False:
        request.pop("stream_options", None)
        return
    stream_options = request.get("stream_options")
    if stream_options is None or isinstance(stream_options, dict):
        request["stream_options"] = {**(stream_options or {}), "include_usage": True}


def _headers(options: Mapping[str, Any], stream: bool) -> dict[str, str]:
    headers = {"accept": "text/event-stream" if stream else "application/json"}
    if organization := options.get("organization"):
        headers["openai-organization"] = organization
    if project := options.get("project"):
        headers["openai-project"] = project
    return headers


def _choice(choice: Any, index: int) -> JSON:
    if not isinstance(choice, dict):
        raise upstream_errors.no_answer("has a choice that is not an object")
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _inner_error(choice)
    built: JSON = {"index": index, **choice}
    built["message"] = _answer_message(message)
    reason = built.get("finish_reason")
    if not reason and isinstance(details := built.get("finish_details"), dict):
        reason = details.get("type")
    if not isinstance(reason, str):
        reason = None
    elif reason in FINISH_REASONS:
        built.setdefault("native_finish_reason", reason)
        reason = FINISH_REASONS[reason]
    built["finish_reason"] = reason or None
    return built


def _answer_message(message: JSON) -> JSON:
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
    if found.get("error") or found.get("object") == "error" or "detail" in found:
        return upstream_errors.instead_of_answer(found, WORDS)
    return upstream_errors.no_answer("holds no choices")

"""OpenAI and everything that speaks its format: passthrough.

Only what must change is touched: the model's name, what only this gateway understands,
and what the provider's options ask for (docs/translation.md). Unknown fields go both
ways as they are.

https://platform.openai.com/docs/api-reference/chat/create
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers import reply_rules
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import (
    JSON,
    Feature,
    Learned,
    Reply,
    Route,
    StreamParser,
    UpstreamRequest,
)
from gateway.hub.requests.extra_body import with_extra_body
from gateway.hub.requests.losses import Losses
from gateway.translators.openai import formats
from gateway.translators.openai.embeddings import (
    EMBEDDING_FEATURES,
    parse_embeddings,
    render_embeddings,
)
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.headers import own_headers
from gateway.translators.openai.parts import PARTS, in_parts
from gateway.translators.openai.response import parse_response, read_at_once
from gateway.translators.openai.stream import ChunkStream

__all__ = [
    "AVOIDABLE",
    "EMBEDDING_FEATURES",
    "parse_embeddings",
    "parse_error",
    "parse_response",
    "remote_urls",
    "render_body",
    "render_embeddings",
    "render_outline",
    "render_plain",
    "render_request",
    "stream_parser",
]

PATH = "/v1/chat/completions"

AVOIDABLE: tuple[Feature, ...] = (
    Feature(
        "stream_options",
        ("stream_options",),
        re.compile(r"stream_options|include_usage"),
    ),
    Feature(
        "sent_reasoning",
        ("reasoning_content", "reasoning_details", "reasoning"),
        # Not where it is missed: some servers want back what they gave.
        re.compile(
            r"^(?!.*\b(missing|must be (passed|provided)|required)\b)"
            r".*(reasoning_(content|details)|messages?\b.{0,80}\breasoning\b)",
            re.IGNORECASE | re.DOTALL,
        ),
        anywhere=True,
    ),
    *formats.FORMATS,
)

_OWN_MESSAGE_FIELDS = frozenset({"thinking_blocks", "is_error"})
"""Message fields that only this gateway's translations know."""

_CHANGED = _OWN_MESSAGE_FIELDS | {PARTS}
"""Message fields that do not go on as they are."""

_REASONING = frozenset({"reasoning_content", "reasoning", "reasoning_details"})
"""The names of a message's reasoning, the gateway's alias among them."""

_LIMITS = ("max_completion_tokens", "max_tokens")

_READ_FIELDS = frozenset({"extra_body", "function_call", "tool_choice"})
"""Fields that are read here, beside the messages and those of a stream."""
_READ_OPTIONS = frozenset(
    {
        "drop_params",
        "max_tokens_field",
        "organization",
        "project",
        "send_reasoning_content",
        "system_role",
    }
)
"""Options that change a request, but for that of a stream."""

_ACCEPTED = {False: "application/json", True: "text/event-stream"}
_ACCEPT = {stream: {"accept": accepted} for stream, accepted in _ACCEPTED.items()}
"""The headers of a request that goes as it is; nobody changes them."""


def render_request(body: JSON, route: Route) -> UpstreamRequest:
    """Return `body` for the upstream; raises a 400 only under `strict_params`."""
    if not _goes_as_it_is(body, route):
        return _render(body, route)
    # What nearly all send: to look for all that could be changed costs a call 4 µs.
    return _as_it_is(body, route)


def render_plain(body: JSON, route: Route) -> UpstreamRequest | None:
    """Return a request of which nothing but the model's name is to be changed.

    None for any other. Its answer is mostly as plain.
    """
    if not _goes_as_it_is(body, route):
        return None
    request, reply = _to_model(body, route)
    if reply.hides_reasoning or "reasoning_alias" in route.options:
        return None
    accepted = _ACCEPT[reply.stream]
    return UpstreamRequest(PATH, request, reply, accepted, at_once=read_at_once)


def render_outline(outline: JSON, route: Route) -> UpstreamRequest | None:
    """Return a request whose messages hold nothing that is changed here.

    None where the provider has something changed.
    """
    return _as_it_is(outline, route) if _stays(outline, route) else None


def _as_it_is(body: JSON, route: Route) -> UpstreamRequest:
    request, reply = _to_model(body, route)
    return UpstreamRequest(PATH, request, reply, _ACCEPT[reply.stream])


def _to_model(body: JSON, route: Route) -> tuple[JSON, Reply]:
    request = {**body, "model": route.upstream_model}
    reply = Reply.of(request, route)
    if reply.stream:
        _ask_for_usage(request, route)
    return request, reply


def _goes_as_it_is(body: JSON, route: Route) -> bool:
    """Tell whether nothing but the model's name is to be changed."""
    messages = body.get("messages")
    return (
        _stays(body, route)
        and isinstance(messages, list)
        and _hold_none(messages, _CHANGED)
    )


def _stays(body: JSON, route: Route) -> bool:
    """Tell whether nothing is to be changed in the messages, or for their sake."""
    return (
        not route.avoid
        and _READ_FIELDS.isdisjoint(body)
        and (not route.options or _READ_OPTIONS.isdisjoint(route.options))
    )


def _render(body: JSON, route: Route) -> UpstreamRequest:
    """Return any request, whatever is to be changed in it."""
    losses = Losses(route)
    request, reply = render_body(body, route, losses)
    headers = {
        "accept": _ACCEPTED[reply.stream],
        **own_headers(route.options),
    }
    return UpstreamRequest(
        PATH, request, reply, headers, losses.dropped, losses.downgraded
    )


def render_body(body: JSON, route: Route, losses: Losses) -> tuple[JSON, Reply]:
    """Return what every host of the format is sent.

    Raises a 400 only under `strict_params`.
    """
    options = route.options
    request = dict(with_extra_body(body))
    request.pop("extra_body", None)  # one within the other
    request["model"] = route.upstream_model
    asked = request.get("reasoning")
    for param in options.get("drop_params") or ():
        if request.pop(param, None) is not None:
            losses.drop(param)
    _rename_limit(request, options.get("max_tokens_field"))
    if "messages" in request:
        request["messages"] = _messages(request["messages"], route, losses)
    learned: Learned = {"forced_tool": _forced_tool(request)}
    if isinstance(asked, dict) and asked.get("exclude"):
        # Also where the upstream is not told.
        learned["hides_reasoning"] = True
    if route.avoid:
        role = options.get("system_role") or "system"
        is_in_words = formats.fitted(request, route.avoid, losses, role)
        learned["strip_fence"] = is_in_words and request.get("n") in (None, 1)
    reply = Reply.of(request, route, learned)
    if reply.stream:
        _ask_for_usage(request, route)
    return request, reply


def remote_urls(body: JSON, route: Route) -> list[str]:
    """Return nothing: the upstream fetches images by itself."""
    return []


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


def _messages(messages: Any, route: Route, losses: Losses) -> Any:
    """Return the messages, themselves where none must change, as nearly always."""
    if not isinstance(messages, list):
        return messages
    removed, looked_for, options = _OWN_MESSAGE_FIELDS, _CHANGED, route.options
    refused = "sent_reasoning" in route.avoid
    if refused or options.get("send_reasoning_content") is False:
        removed = looked_for = _OWN_MESSAGE_FIELDS | _REASONING | {PARTS}
        if refused and any(map(_holds_reasoning, messages)):
            losses.downgrade("messages")
    role = options.get("system_role")
    if not role and _hold_none(messages, looked_for):
        return messages
    return [_message(message, removed, role) for message in messages]


def _hold_none(messages: list[Any], fields: frozenset[str]) -> bool:
    """Tell at a glance whether no message has any of `fields`."""
    try:
        return all(map(fields.isdisjoint, messages))
    except TypeError:  # One is no object; what the others hold is looked at in turn.
        return False


def _holds_reasoning(message: Any) -> bool:
    return isinstance(message, dict) and not _REASONING.isdisjoint(message)


def _message(message: Any, removed: frozenset[str], role: str | None) -> Any:
    if not isinstance(message, dict):
        return message
    if not removed.isdisjoint(message):
        message = {key: message[key] for key in message if key not in removed}
    if PARTS in message:
        message = in_parts(message)
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


def _forced_tool(request: JSON) -> str:
    """Return the one function that the request names to be called."""
    if "tool_choice" not in request and "function_call" not in request:
        return ""
    for choice in (request.get("tool_choice"), request.get("function_call")):
        match choice:
            case {"function": {"name": str(name)}} | {"name": str(name)}:
                return name
    return ""

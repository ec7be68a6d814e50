"""Anthropic's Messages API: Claude Code, the official SDKs and what is made with them.

https://platform.claude.com/docs/en/api/messages
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from gateway.doors.messages.answer import Wanted, message_of
from gateway.doors.messages.avoidable import AVOIDABLE
from gateway.doors.messages.errors import envelope, told
from gateway.doors.messages.estimate import estimated
from gateway.doors.messages.request import to_hub
from gateway.doors.messages.request.checks import invalid, missing, wrong_type
from gateway.doors.messages.request.learnt import leave_out, taught
from gateway.doors.messages.request.profile import profile_of
from gateway.doors.messages.stream.events import MessageEvents
from gateway.doors.protocol import JSON, Asked, HubRequest, Sent
from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.tools.ids import ToolNames

__all__ = [
    "AVOIDABLE",
    "NAME",
    "about",
    "answer_headers",
    "hub_request",
    "parse_request",
    "render_error",
    "render_response",
    "status_of",
    "stream_renderer",
]

NAME = "messages"

_TELLING = {
    "session_id": "x-claude-code-session-id",
    "agent_id": "x-claude-code-agent-id",
    "request_class": "x-claude-code-request-class",
}
_is_telling = re.compile(r"[A-Za-z0-9._:-]{1,128}").fullmatch


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field.

    Only what routing needs is looked at: where the upstream speaks the same format, its
    own words about the rest are better.
    """
    model, messages, stream = (
        body.get("model"),
        body.get("messages"),
        body.get("stream"),
    )
    if model is None:
        raise missing("model")
    if not isinstance(model, str) or not model:
        raise wrong_type("model", "string")
    if messages is None:
        raise missing("messages")
    if not isinstance(messages, list):
        raise wrong_type("messages", "list")
    if not messages:
        raise invalid("messages", "at least one message is required")
    if stream is not None and not isinstance(stream, bool):
        raise wrong_type("stream", "boolean")
    return Asked(model, stream is True, body, sent)


def about(sent: Sent) -> Mapping[str, str]:
    """Return what Claude Code tells of its conversation."""
    columns = {column: sent.header(header) for column, header in _TELLING.items()}
    return {column: value for column, value in columns.items() if _is_telling(value)}


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Return the request in OpenAI's format; raises a 400 in this API's words."""
    losses = Losses(route)
    session = asked.sent.header(_TELLING["session_id"])
    profile = taught(profile_of(route), route.avoid)
    hub = to_hub(asked.body, profile, losses, session)
    leave_out(hub.body, route.avoid, losses)
    return HubRequest(hub.body, losses.dropped, losses.downgraded, hub.stops)


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return the message that a `chat.completion` is."""
    return message_of(completion, _wanted(asked))


def stream_renderer(asked: Asked) -> MessageEvents:
    """Return what writes the events of one answer."""
    return MessageEvents(_wanted(asked), asked.sent.request_id)


def render_error(error: GatewayError, sent: Sent) -> JSON:
    """Return the envelope of an error."""
    return envelope(error, sent.request_id)


def status_of(error: GatewayError, sent: Sent) -> int:
    """Return the status, which has a number of its own for a server under load."""
    return told(error).status


def answer_headers(headers: dict[str, str], sent: Sent) -> dict[str, str]:
    """Return an answer's headers with the request's id as SDKs look for it.

    They read whole seconds in `retry-after`.
    """
    headers["request-id"] = sent.request_id
    if wait := headers.get("retry-after"):
        headers["retry-after"] = _whole_seconds(wait)
    return headers


def _whole_seconds(wait: str) -> str:
    try:
        return str(math.ceil(float(wait)))
    except (ValueError, OverflowError):
        return wait


def _wanted(asked: Asked) -> Wanted:
    """Return what an answer must know of the request."""
    body = asked.body
    choice: Any = body.get("tool_choice")
    thinking: Any = body.get("thinking")
    names = ToolNames()
    tools = body.get("tools") or ()
    for tool in tools:
        names.upstream(tool["name"])
    return Wanted(
        asked.model,
        names.originals,
        is_single=bool(choice and choice.get("disable_parallel_tool_use")),
        hides_thinking=bool(
            thinking and thinking.get("type") == "disabled" and not tools
        ),
        input_tokens=estimated(body),
    )

"""Anthropic's Messages API: Claude Code, the official SDKs and what is made with them.

https://platform.claude.com/docs/en/api/messages
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from gateway.doors.messages.answer import message_of
from gateway.doors.messages.avoidable import AVOIDABLE
from gateway.doors.messages.errors import envelope, told
from gateway.doors.messages.reading import Reading
from gateway.doors.messages.request.checks import invalid, missing, wrong_type
from gateway.doors.messages.stream.events import MessageEvents
from gateway.doors.messages.stream.frames import KEEP_ALIVE
from gateway.doors.protocol import JSON, Asked, HubRequest, Sent
from gateway.errors import GatewayError
from gateway.hub.protocol import Route

__all__ = [
    "AVOIDABLE",
    "ESTIMATES_USAGE",
    "KEEP_ALIVE",
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

ESTIMATES_USAGE = True

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
    model, messages = body.get("model"), body.get("messages")
    stream = body.get("stream")
    if not model or not isinstance(model, str):
        raise missing("model") if model is None else wrong_type("model", "string")
    if not messages or not isinstance(messages, list):
        raise _no_messages(messages)
    if stream is not None and not isinstance(stream, bool):
        raise wrong_type("stream", "boolean")
    return Asked(model, stream is True, body, sent)


def _no_messages(given: Any) -> GatewayError:
    """Return the 400 for what is no list of messages."""
    if given is None:
        return missing("messages")
    if not isinstance(given, list):
        return wrong_type("messages", "list")
    return invalid("messages", "at least one message is required")


def about(sent: Sent) -> Mapping[str, str]:
    """Return what Claude Code tells of its conversation."""
    return {
        column: value
        for column, header in _TELLING.items()
        if header in sent.headers and _is_telling(value := sent.header(header))
    }


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Return the request in OpenAI's format; raises a 400 in this API's words."""
    return _reading(asked).hub(route)


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return the message that a `chat.completion` is."""
    is_counted = isinstance(completion.get("usage"), dict)
    wanted = _reading(asked).wanted(asked.model, is_counted=is_counted)
    return message_of(completion, wanted)


def stream_renderer(asked: Asked) -> MessageEvents:
    """Return what writes the events of one answer."""
    wanted = _reading(asked).wanted(asked.model)
    return MessageEvents(wanted, asked.sent.request_id)


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


def _reading(asked: Asked) -> Reading:
    """Return what is read of a request, once; nothing where it goes on as it came."""
    if asked.own is None:
        asked.own = Reading(asked.body, asked.sent.header(_TELLING["session_id"]))
    reading: Reading = asked.own
    return reading

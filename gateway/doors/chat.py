"""OpenAI's chat completions: the hub's own format, so next to nothing changes.

https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import Mapping

from gateway.doors.envelope import render_error
from gateway.doors.fields import model_of, wants_stream, wrong_field
from gateway.doors.protocol import (
    JSON,
    NOTHING_SENT,
    Asked,
    HubRequest,
    Sent,
)
from gateway.doors.responses_at_chat import CustomCalls, Reshaped, are_flat
from gateway.errors import GatewayError
from gateway.hub.outlines import Outline, shapes
from gateway.hub.protocol import NOTHING, Route
from gateway.wire import sse
from gateway.wire.sse import KEEP_ALIVE

__all__ = [
    "DONE",
    "ESTIMATES_USAGE",
    "KEEP_ALIVE",
    "NAME",
    "SHAPES",
    "ChatRenderer",
    "about",
    "answer_headers",
    "hub_request",
    "parse_request",
    "render_error",
    "render_response",
    "status_of",
    "stream_renderer",
]

NAME = "chat"

ESTIMATES_USAGE = False

DONE = b"data: [DONE]\n\n"
"""The terminal event of OpenAI's streams."""


_LEAST, _MOST = 8 * 1024, 1024 * 1024
"""Sizes of bodies that are kept to the letter, for a server that takes them so: a small
one is soon written anew, and of large ones nothing is held twice."""

SHAPES = shapes(range(_LEAST, _MOST + 1))
"""How these are read."""


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field."""
    model = model_of(body, "gpt-4o-mini")
    messages, own, outline = body.get("messages"), None, None
    is_talk = isinstance(messages, list) and messages and "tools" not in body
    if is_talk and sent.members is None:
        # As most short ones: there is nothing to be found out.
        return Asked(model, wants_stream(body), body)
    if sent.is_outlined:
        outline = Outline.of(body, sent.raw, sent.members)
    given = body.get("input")
    if messages is None and given and isinstance(given, str | list):
        own = Reshaped(body, sent)
    elif not isinstance(messages, list) or not messages:
        raise wrong_field("messages", messages, "a list with at least one message")
    elif (tools := body.get("tools")) and are_flat(tools):
        if outline is not None:
            body, outline = outline.whole(), None
        own = Reshaped(body, sent)
    stream = wants_stream(body)
    is_kept = sent.members is not None and _LEAST <= len(sent.raw) <= _MOST
    return Asked(
        model,
        stream,
        body if outline is None else None,
        sent if is_kept else NOTHING_SENT,
        own=own,
        outline=outline,
    )


def about(sent: Sent) -> Mapping[str, str]:
    """Return nothing: no header of this format tells of a session."""
    return NOTHING


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Return the request as it stands; one in the shape of a response is read first."""
    if asked.own is not None:
        own: Reshaped = asked.own
        return own.hub_request(route)
    return HubRequest(asked.body)


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return the answer as it stands, but for calls of custom tools."""
    own: Reshaped | None = asked.own
    return completion if own is None else own.answer(completion)


def stream_renderer(asked: Asked) -> "ChatRenderer":
    """Return what writes server-sent events of chunks."""
    return ChatRenderer(None if asked.own is None else CustomCalls(asked.own))


def status_of(error: GatewayError, sent: Sent) -> int:
    """Return the status as it is."""
    return error.status


def answer_headers(headers: dict[str, str], sent: Sent) -> dict[str, str]:
    """Return the headers as they are."""
    return headers


class ChatRenderer:
    """One streamed answer: https://platform.openai.com/docs/api-reference/chat-streaming

    OpenAI's SDKs raise `APIError` on a ``data`` object that holds ``error``. Neither a
    finish chunk nor ``[DONE]`` may follow it.
    """

    media_type = "text/event-stream; charset=utf-8"

    def __init__(self, custom: CustomCalls | None = None) -> None:
        self._custom = custom

    @property
    def is_plain(self) -> bool:
        """Whether chunks leave as they are."""
        return self._custom is None

    @staticmethod
    def keep_alive(silent_for: float) -> bytes:
        """Return a comment, which SDKs pass over."""
        return KEEP_ALIVE

    def render(self, chunks: list[JSON]) -> bytes:
        """Return one ``data`` event a chunk."""
        if self._custom is not None:
            chunks = self._custom.rewritten(chunks)
        return sse.encode(chunks)

    @staticmethod
    def end() -> bytes:
        """Return the frame that stands behind every complete stream."""
        return DONE

    @staticmethod
    def fail(error: GatewayError) -> bytes:
        """Return the frame by which a started stream tells that it failed."""
        return sse.encode([render_error(error)])

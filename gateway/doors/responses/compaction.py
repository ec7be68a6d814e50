"""A conversation made shorter: its questions, and a summary of all the rest.

A model is asked for the summary; the client gets it packed, as it gets reasoning, and
sends it in the conversation's place.
https://platform.openai.com/docs/api-reference/responses/compact
"""

from typing import Any

from gateway.doors import responses
from gateway.doors.protocol import JSON, Asked, HubRequest, Sent
from gateway.doors.responses import (
    ESTIMATES_USAGE,
    KEEP_ALIVE,
    about,
    answer_headers,
    render_error,
    status_of,
    stream_renderer,
)
from gateway.doors.responses.ids import Ids
from gateway.doors.responses.reading import Reading
from gateway.doors.responses.reasoning import blob_of_summary
from gateway.doors.responses.usage import estimated_usage, usage_of
from gateway.errors import GatewayError
from gateway.hub.protocol import Route

__all__ = [
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

NAME = "compact"

LONGEST = 8_192
"""Tokens of a summary."""

INSTRUCTION = (
    "Summarise the conversation so far for whoever goes on with it: what was asked, "
    "what was decided and why, what is done, what is left to do, and every name, file, "
    "path, command and figure that will be needed. Write plain text, and nothing else."
)

_OFFERED = ("tools", "tool_choice", "parallel_tool_calls", "web_search_options")
_SHAPING = ("text", "tools", "tool_choice", "max_output_tokens", "max_tool_calls")


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field."""
    return responses.parse_request({**body, "stream": None}, sent)


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Return the question for a summary, as chat completions have it."""
    reading: Reading = asked.own
    reading.body = {name: asked.body[name] for name in _kept(asked.body)}
    hub = responses.hub_request(asked, route)
    body = {name: hub.body[name] for name in hub.body if name not in _OFFERED}
    messages = [*body["messages"], {"role": "user", "content": INSTRUCTION}]
    body |= {"messages": messages, "max_completion_tokens": LONGEST}
    return hub._replace(body=body)


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return the conversation as it goes on; raises a 502 without a summary."""
    reading: Reading = asked.own
    ids = Ids(reading.route.completion_id)
    summary = _text(completion)
    usage = completion.get("usage")
    questions = [_question(each, ids) for each in _questions(asked.body["input"])]
    compacted = {
        "id": ids.take("cmp"),
        "type": "compaction",
        "encrypted_content": blob_of_summary(summary),
    }
    return {
        "id": ids.response,
        "object": "response.compaction",
        "created_at": reading.route.created,
        "output": [*questions, compacted],
        "usage": usage_of(usage) if usage else estimated_usage(reading, len(summary)),
    }


def _kept(body: JSON) -> list[str]:
    """Return the fields that shape the question, not the answers before it."""
    return [name for name in body if name not in _SHAPING]


def _text(completion: JSON) -> str:
    message = (completion.get("choices") or [{}])[0].get("message") or {}
    text = message.get("content")
    if not isinstance(text, str) or not text.strip():
        raise GatewayError(
            502,
            "server_error",
            "The model gave no summary of the conversation.",
            code="upstream_invalid_response",
        )
    return text


def _questions(given: Any) -> list[JSON]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return [item for item in given if item.get("role") == "user"]


def _question(item: JSON, ids: Ids) -> JSON:
    """Return a user's message as an answer tells it."""
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}]
    named = {"id": ids.take("msg"), "type": "message", "status": "completed"}
    return {**named, **item, "content": content}

"""A request of which nothing is to be changed goes on at once, as any would."""

from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route
from gateway.translators import openai
from tests.at_once import at_once

USER, SYSTEM = {"role": "user", "content": "Hi"}, {"role": "system", "content": "Be."}
NAMED = {"type": "function", "function": {"name": "f"}}
FIELDS: list[JSON] = [
    {},
    {"max_tokens": 1, "temperature": 0.5, "unknown": {"a": 1}},
    {"stream": True},
    {"stream": True, "stream_options": {"include_usage": True, "a": 1}},
    {"stream": True, "stream_options": None},
    {"stream": "yes", "stream_options": {}},
    {"extra_body": {"top_k": 1, "reasoning": {"exclude": True}}},
    {"extra_body": None},
    {"reasoning": {"exclude": True}},
    {"tool_choice": NAMED},
    {"function_call": {"name": "f"}},
    {"messages": None},
    {"messages": []},
    {"messages": "Hi"},
    {"messages": [USER, "x", None]},
    {"messages": [SYSTEM, {**USER, "thinking_blocks": []}]},
    {"messages": [{**USER, "is_error": True}]},
    {"messages": [{**USER, "reasoning_content": "Hm."}]},
]
OPTIONS: list[JSON] = [
    {},
    {"drop_params": ["temperature", "stream"]},
    {"drop_params": ["temperature"], "strict_params": True},
    {"max_tokens_field": "max_completion_tokens"},
    {"organization": "o", "project": ""},
    {"project": "p"},
    {"organization": "o"},
    {"send_reasoning_content": False},
    {"system_role": "developer"},
    {"include_usage": False},
    {"reasoning_alias": True, "timeouts": {"total": 9}},
]
ROUTES = [
    *[Route("m", "up", options=options) for options in OPTIONS],
    Route("m", "up", avoid=frozenset({"stream_options", "sent_reasoning"})),
]


def outcome(render: Any, body: JSON, route: Route) -> Any:
    try:
        rendered = render(body, route)
    except GatewayError as error:
        return error.status, error.code, error.param, error.message
    return rendered, list(rendered.body), list(rendered.headers)


@at_once("route", ROUTES)
@at_once("fields", FIELDS)
def test_it_is_rendered_as_any_is(fields: JSON, route: Route) -> None:
    body = {"model": "m", "messages": [SYSTEM, USER], **fields}
    expected = outcome(openai._render, body, route)
    assert outcome(openai.render_request, body, route) == expected


def test_a_usual_one_goes_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(openai, "_render")
    body = {"model": "m", "messages": [SYSTEM, USER], "max_tokens": 9, "tools": []}
    rendered = openai.render_request(body, Route("m", "up"))
    assert rendered.body == {**body, "model": "up"}

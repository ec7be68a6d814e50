"""A request that only talks is rendered as all others are, but sooner."""

from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.translators.anthropic.requests import request
from gateway.translators.anthropic.requests.talk import talk
from gateway.wire.jsontext import encode
from tests.at_once import at_once

MODELS = ("claude-3-haiku-20240307", "claude-sonnet-4-5", "claude-opus-5-5", "gpt-4o")
ROUTES = [
    *[Route("m", model) for model in MODELS],
    Route("m", MODELS[1], options={"drop_params": ["temperature", "max_tokens"]}),
    Route("m", MODELS[1], capabilities={"max_output": 300}),
    Route("m", MODELS[1], capabilities={"thinks": 1}),
    Route("m", MODELS[2], shows_thinking=True),
    Route("m", MODELS[0], default_output=100),
    Route("m", MODELS[0], default_output=10_000),
    Route("m", MODELS[1], avoid=frozenset({"output_config"})),
]
VALUES: dict[str, tuple[Any, ...]] = {
    "max_tokens": (1, 256, 4097, 2**40, 0, -1, True, 1.5, None, "9"),
    "max_completion_tokens": (1, 4097, None, []),
    "stream": (True, False, None, "true", 1),
    "stream_options": ({}, {"include_usage": True}, None, "x"),
    "temperature": (0, 0.5, 1, 1.0, 1.5, 3, -1, None, True, "0"),
    "top_p": (0.5, None),
    "reasoning_effort": ("low", "none"),
    "stop": ("x",),
    "tools": ([],),
    "extra_body": ({"top_k": 1},),
    "messages": (None, [], {}, ["x"], [None], [{}], [{"role": "user"}]),
}
ROLES = (
    ("user",),
    ("system", "user"),
    ("system", "developer", "user", "user", "assistant", "user"),
    ("assistant", "user"),
    ("system", "assistant", "user"),
    ("user", "assistant"),
    ("user", "system", "user"),
    ("user", "system"),
    ("system",),
    ("user", "tool"),
    ("user", "odd"),
)
ODD: tuple[JSON, ...] = (
    {"content": " \n"},
    {"content": None},
    {"content": [{"type": "text", "text": "Hi"}]},
    {"content": 1},
    {"role": None},
    {"role": ["user"]},
    {"name": "x"},
    {"cache_control": {"type": "ephemeral"}},
    {"reasoning_content": "Hm."},
)


def said(*roles: str, **more: Any) -> JSON:
    return {"messages": [{"role": role, "content": "Hi"} for role in roles], **more}


def with_odd(odd: JSON, place: int) -> JSON:
    body = said("system", "user", "assistant", "user")
    body["messages"][place] |= odd
    return body


BODIES = [
    *[said(*roles) for roles in ROLES],
    *[said("user", **{name: each}) for name in VALUES for each in VALUES[name]],
    *[with_odd(odd, place) for odd in ODD for place in range(4)],
    said("user", stream=True, stream_options={"include_usage": True}),
    said("user", max_tokens=9, max_completion_tokens=8),
    said("user", max_tokens=9, max_completion_tokens=None),
]


def outcome(render: Any, body: JSON, route: Route) -> tuple[Any, ...]:
    try:
        rendered: UpstreamRequest = render(body, route)
    except GatewayError as error:
        return error.status, error.code, error.param, error.message
    return rendered, list(rendered.body)


@at_once("route", ROUTES)
@at_once("body", BODIES)
def test_it_is_rendered_as_all_others_are(body: JSON, route: Route) -> None:
    sooner = outcome(request.render_request, body, route)
    assert sooner == outcome(request._render, body, route)


@at_once("route", ROUTES)
@at_once("body", BODIES)
def test_as_bytes_it_is_the_same(body: JSON, route: Route) -> None:
    try:
        talking = request.render_talk(body, route)
    except GatewayError:
        with pytest.raises(GatewayError):
            request.render_request(body, route)
        return
    if talking is not None:
        told = request.render_request(body, route)
        assert talking.raw == encode(told.body)
        assert talking.told()._replace(raw=b"", at_once=None) == told


@at_once(
    "body",
    [
        said("user"),
        said("system", "developer", "user", max_tokens=256),
        said("user", stream=True, stream_options={"include_usage": True}),
    ],
)
def test_plain_talk_is_written_at_once(body: JSON) -> None:
    assert request.render_talk(body, Route("m", "claude-sonnet-4-5")) is not None


@at_once(
    "body",
    [
        said("user"),
        said("system", "developer", "user", max_tokens=256),
        said("system", "user", "user", "assistant", "user", temperature=1),
        said("user", stream=True, stream_options={"include_usage": True}),
    ],
)
def test_plain_talk_is_seen_at_once(body: JSON) -> None:
    assert talk(body, Route("m", "claude-sonnet-4-5")) is not None

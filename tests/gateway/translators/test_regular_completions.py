"""A regular completion is seen at a glance, and comes to what all others come to."""

from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply, Route
from gateway.translators import openai
from gateway.translators.openai import response
from gateway.wire.jsontext import encode
from tests.at_once import at_once

USAGE = {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0}}
REPLIES = [
    Reply("m"),
    Reply("m", options={"reasoning_alias": True}),
    Reply("m", strip_fence=True),
    Reply("m", hides_reasoning=True),
]


def regular() -> JSON:
    message = {"role": "assistant", "content": "Hi.", "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "upstream",
        "choices": [choice],
        "usage": USAGE,
        "system_fingerprint": "fp",
    }


def with_changed(place: tuple[Any, ...], field: str, value: Any) -> JSON:
    body = changed = regular()
    for step in place:
        changed = changed[step]
    if value is ...:
        del changed[field]
    else:
        changed[field] = value
    return body


ANYWHERE = (..., None, "", "x", 0, 1, -1, 1.5, True, [], ["x"], {}, {"a": 1.5})
CHOICE, MESSAGE = ("choices", 0), ("choices", 0, "message")
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHANGED = [
    *[with_changed((), name, each) for name in regular() for each in ANYWHERE],
    *[
        with_changed(CHOICE, name, each)
        for name in ("index", "message", "finish_reason")
        for each in ANYWHERE
    ],
    *[with_changed(MESSAGE, "role", each) for each in ANYWHERE],
    *[with_changed(MESSAGE, "content", each) for each in (..., None, "", "x", [])],
    *[
        with_changed(place, "error", each)
        for place in ((), CHOICE)
        for each in (None, {}, {"message": "No."})
    ],
    with_changed((), "base_resp", {"status_code": 1004, "status_msg": "No."}),
    with_changed((), "usage", {"a_tokens": 1.5}),
    with_changed((), "usage", {"a": {"b_tokens": 1.5}}),
    with_changed((), "usage", {"a": {"b": {"c": 1.5}}, "d": [1.5], "e": "f"}),
    with_changed((), "created", 2**70),
    with_changed(CHOICE, "finish_reason", "tool_calls"),
    with_changed(CHOICE, "finish_reason", "eos"),
    with_changed(MESSAGE, "content", "```json\n{}\n```"),
    with_changed(MESSAGE, "reasoning", "Hm."),
    with_changed(MESSAGE, "tool_calls", None),
    with_changed(MESSAGE, "tool_calls", [CALL]),
    with_changed(MESSAGE, "function_call", CALL["function"]),
    {**regular(), "choices": [dict(reversed(regular()["choices"][0].items()))]},
    {**regular(), "choices": regular()["choices"] * 2},
]


def outcome(parse: Any, payload: JSON, reply: Reply) -> tuple[Any, ...]:
    try:
        completion = parse(payload, reply)
    except GatewayError as error:
        return error.status, error.code, error.message
    choices = [(list(each), each["message"]) for each in completion["choices"]]
    return completion, list(completion), choices


def parsed(payload: JSON, reply: Reply) -> JSON:
    return response.parse_response(payload, {}, reply)


@at_once("reply", REPLIES)
@at_once("payload", [regular(), *CHANGED])
def test_it_comes_to_what_others_come_to(payload: JSON, reply: Reply) -> None:
    expected = outcome(response._made_regular, payload, reply)
    assert outcome(parsed, payload, reply) == expected


def test_a_regular_one_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(response, "_made_regular")
    assert parsed(regular(), Reply("m")) == {**regular(), "model": "m"}


@at_once("payload", [regular(), *CHANGED])
def test_read_at_once_it_is_the_same(payload: JSON) -> None:
    found = response.read_at_once(encode(payload), Reply("m"))
    if found is None:
        return
    completion = parsed(payload, Reply("m"))
    assert found.raw == encode(completion)
    assert found.usage == completion.get("usage")
    assert found.finish_reason == completion["choices"][0]["finish_reason"]


def test_a_regular_one_is_read_at_once() -> None:
    assert response.read_at_once(encode(regular()), Reply("m")) is not None


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"id": "\xff"}', b"data: {}"])
def test_what_is_none_is_left_to_who_says_so(raw: bytes) -> None:
    assert response.read_at_once(raw, Reply("m")) is None


@pytest.mark.parametrize(
    ("body", "options", "is_plain"),
    [
        ({}, {}, True),
        ({"stream": False, "temperature": 1}, {}, True),
        ({"tools": [CALL]}, {}, True),
        ({"tool_choice": "auto"}, {}, False),
        ({"reasoning": {"exclude": True}}, {}, False),
        ({}, {"reasoning_alias": True}, False),
        ({}, {"drop_params": ["stop"]}, False),
        ({"messages": None}, {}, False),
    ],
)
def test_only_answers_to_what_goes_as_it_is_are(
    body: JSON, options: JSON, is_plain: bool
) -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **body}
    route = Route("m", "upstream", options=options)
    request = openai.render_plain(asked, route)
    assert (request is not None) == is_plain
    if request is not None:
        assert request._replace(at_once=None) == openai.render_request(asked, route)

"""An answer of one text is told as others are, without being collected."""

from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply
from gateway.translators.anthropic.answers import response, usage
from tests.at_once import at_once

UNKNOWN = {"type": "container_upload"}
TEXT = {"type": "text", "text": "Hi."}
USAGE = {"input_tokens": 2, "output_tokens": 1, "service_tier": "standard"}
ENDS: list[JSON] = [
    *[
        {"stop_reason": reason, "usage": USAGE}
        for reason in (*response.FINISH_REASONS.words, "new_word", "", None, 1)
    ],
    *[{"stop_reason": reason} for reason in response.FINISH_REASONS.malformed],
    {"stop_reason": "refusal", "stop_details": {"explanation": "No."}},
    {"stop_reason": "end_turn", "usage": None},
    {},
]


def outcome(content: list[JSON], end: JSON, reply: Reply) -> Any:
    try:
        completion = response.parse_response({"content": content, **end}, {}, reply)
    except GatewayError as error:
        return error.status, error.code, error.message
    return completion, list(completion), list(completion["choices"][0])


@at_once("end", ENDS)
@at_once("reply", [Reply("m"), Reply("m", stop=("i",))])
@at_once("text", ["Hi.", " ", ""])
def test_a_text_is_told_as_it_is_collected(end: JSON, reply: Reply, text: str) -> None:
    said = [{"type": "text", "text": text}]
    assert outcome(said, end, reply) == outcome([*said, UNKNOWN], end, reply)


def test_blocks_are_told_where_they_are_asked_for() -> None:
    completion = response.parse_response(
        {"content": [TEXT], "stop_reason": "end_turn"}, {}, Reply("m", blocks=True)
    )
    assert completion["choices"][0]["message"]["text_blocks"]


def test_an_only_text_is_not_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(response, "AnswerCollector")
    completion = response.parse_response({"content": [TEXT]}, {}, Reply("m"))
    assert completion["choices"][0]["message"]["content"] == "Hi."


ANYTHING = (..., None, "", "x", 0, 7, -1, 1.5, True, 2**70, [], ["x"], {}, {"a": 1})
LASTING = usage.LIFETIMES


def counted(count: Any, told: JSON) -> Any:
    counts = count(told)
    return counts, [(each, str(counts[each])) for each in counts]


def with_field(told: JSON, name: str, value: Any) -> JSON:
    rest = {each: told[each] for each in told if each != name}
    return rest if value is ... else {**rest, name: value}


COUNTS: JSON = {
    "input_tokens": 2,
    "output_tokens": 1,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 5,
    "cache_creation": {LASTING[1]: 1, LASTING[0]: 0, "other": "x"},
    "service_tier": "standard",
}


@at_once(
    "told",
    [
        {},
        COUNTS,
        *[with_field(COUNTS, each, value) for each in COUNTS for value in ANYTHING],
        *[{**COUNTS, "iterations": value} for value in (None, [], [COUNTS, COUNTS])],
        *[{**COUNTS, "output_tokens_details": value} for value in ANYTHING[1:]],
        *[{"cache_creation": {LASTING[0]: value}} for value in ANYTHING[1:]],
        {"output_tokens_details": {"thinking_tokens": 3}},
    ],
)
def test_counts_are_read_at_once_as_one_by_one(told: JSON) -> None:
    sooner = counted(usage.parse_usage, told)
    assert sooner == counted(usage._any_usage, told)


MESSAGE: JSON = {
    "id": "msg_1",
    "type": "message",
    "content": [TEXT],
    "stop_reason": "end_turn",
    "stop_details": None,
    "usage": USAGE,
}
PAYLOADS: list[Any] = [
    *[with_field(MESSAGE, each, value) for each in MESSAGE for value in ANYTHING],
    *[{**MESSAGE, "content": [with_field(TEXT, "text", v)]} for v in ANYTHING],
    *[{**MESSAGE, "content": [with_field(TEXT, "type", v)]} for v in ANYTHING],
    {**MESSAGE, "content": [TEXT, TEXT]},
    {**MESSAGE, "content": [{**TEXT, "citations": None}]},
    {**MESSAGE, "type": "error", "error": {"type": "x", "message": "No."}},
    {**MESSAGE, "error": {"type": "x", "message": "No."}},
    None,
    [],
]


def parsed(parse: Any, payload: Any, reply: Reply) -> Any:
    try:
        completion = parse(payload, reply)
    except GatewayError as error:
        return error.status, error.code, error.message
    return completion, list(completion), list(completion["choices"][0])


@at_once("payload", PAYLOADS)
@at_once("reply", [Reply("m"), Reply("m", blocks=True), Reply("m", earlier=(MESSAGE,))])
def test_a_message_is_read_at_once_as_part_by_part(payload: Any, reply: Reply) -> None:
    sooner = parsed(response.parse_message, payload, reply)
    assert sooner == parsed(response._any_message, payload, reply)

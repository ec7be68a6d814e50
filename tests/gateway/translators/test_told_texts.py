"""An answer of one text is told as others are, without being collected."""

from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply
from gateway.translators.anthropic.answers import response

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


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("reply", [Reply("m"), Reply("m", stop=("i",))])
@pytest.mark.parametrize("text", ["Hi.", " ", ""])
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

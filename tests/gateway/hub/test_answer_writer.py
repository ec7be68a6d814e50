"""What holds for every streamed answer, whoever tells it."""

import pytest

from gateway.errors import GatewayError
from gateway.hub.answers.collector import AnswerCollector
from gateway.hub.answers.finish_reasons import REFUSED, FinishReasons
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.protocol import JSON, Reply

REASONS = FinishReasons(
    {"end": "stop", "called": "tool_calls", "cut": "length", "no": "content_filter"},
    malformed=frozenset({"garbled"}),
    sentence="It is {word}.",
    refused="no",
)
USAGE: JSON = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def writer_of(**fields: bool) -> AnswerWriter:
    return AnswerWriter(Reply("alias", "chatcmpl-1", **fields), REASONS)


def deltas(writer: AnswerWriter) -> list[JSON]:
    return [choice["delta"] for chunk in writer.take() for choice in chunk["choices"]]


def ends(writer: AnswerWriter) -> list[tuple[str, str | None]]:
    return [
        (choice["finish_reason"], choice.get("native_finish_reason"))
        for chunk in writer.take()
        for choice in chunk["choices"]
        if choice["finish_reason"]
    ]


def web_page(citation: JSON) -> tuple[str, object] | None:
    return (citation["url"], citation.get("title")) if "url" in citation else None


def test_the_role_comes_first_and_once() -> None:
    writer = writer_of()
    writer.text("a")
    writer.role()
    writer.reasoning("b")
    role, *others = deltas(writer)
    assert role == {"role": "assistant", "content": ""}
    assert others == [{"content": "a"}, {"reasoning_content": "b"}]


def test_blank_pieces_are_not_written() -> None:
    writer = writer_of()
    writer.text("")
    writer.reasoning("")
    assert writer.take() == []


def test_log_probabilities_are_told_of_a_blank_text_too() -> None:
    writer = writer_of()
    writer.text("", {"content": []})
    *_, chunk = writer.take()
    assert chunk["choices"][0]["logprobs"] == {"content": []}


def test_calls_are_counted_and_get_an_id_where_they_have_none() -> None:
    writer = writer_of()
    assert [writer.tool_start("given", "f"), writer.tool_start(None, "g")] == [0, 1]
    _, first, second = deltas(writer)
    assert first["tool_calls"][0]["id"] == "given"
    assert second["tool_calls"][0]["id"].startswith("call_")


def test_thinking_blocks_have_dense_indexes_and_keep_their_place() -> None:
    writer = writer_of()
    writer.thinking_block({"type": "thinking"}, 0)
    writer.thinking_block({"type": "thinking"}, 3)
    _, first, second = deltas(writer)
    assert first["thinking_blocks"] == [{"type": "thinking", "index": 0}]
    assert second["thinking_blocks"] == [
        {"type": "thinking", "index": 1, "block_index": 3}
    ]


def test_citations_span_the_text_that_they_follow() -> None:
    writer = writer_of()
    writer.text("So: ")
    start = writer.length
    writer.text("blue")
    found = [{"url": "https://e.com", "title": 7}, {"page": 1}, "junk"]
    writer.cite(found, web_page, start)
    *_, annotations, citations = deltas(writer)
    (annotation,) = annotations["annotations"]
    assert annotation["index"] == 0
    assert annotation["url_citation"] == {
        "url": "https://e.com",
        "title": "",
        "start_index": 4,
        "end_index": 8,
    }
    assert citations == {"citations": [{"page": 1, "index": 0}]}
    assert found[1] == {"page": 1}


def test_the_first_reason_to_end_stands() -> None:
    writer = writer_of()
    writer.stop("cut")
    writer.stop("end")
    writer.finish()
    assert ends(writer) == [("length", "cut")]
    assert writer.state.done


def test_the_end_is_written_once() -> None:
    writer = writer_of()
    writer.stop("end")
    writer.finish()
    writer.finish()
    assert len(ends(writer)) == 1


def test_without_a_reason_to_end_the_answer_was_cut() -> None:
    writer = writer_of()
    writer.text("a")
    with pytest.raises(GatewayError) as cut:
        writer.finish()
    assert cut.value.code == "upstream_stream_truncated"
    assert not writer.state.done


def test_what_the_model_garbled_is_no_answer() -> None:
    writer = writer_of()
    with pytest.raises(GatewayError) as garbled:
        writer.stop("garbled")
    assert (garbled.value.status, garbled.value.message) == (502, "It is garbled.")


@pytest.mark.parametrize(
    ("native", "has_calls", "reason"),
    [
        ("end", False, "stop"),
        ("end", True, "tool_calls"),
        ("called", False, "stop"),
        ("cut", True, "length"),
        ("news", False, "stop"),
        (None, True, "tool_calls"),
        ([], False, "stop"),
    ],
)
def test_a_call_ends_an_answer_that_was_not_cut_off(
    native: object, has_calls: bool, reason: str
) -> None:
    assert REASONS.finish_reason(native, has_calls=has_calls) == reason


def test_a_guardrail_that_intervened_is_the_reason() -> None:
    writer = writer_of()
    writer.intervene()
    writer.stop("end")
    writer.finish()
    assert ends(writer) == [("content_filter", "end")]


@pytest.mark.parametrize(
    ("explanation", "told"), [("Not that.", "Not that."), ("", REFUSED), (7, REFUSED)]
)
def test_a_model_that_declines_says_so(explanation: object, told: str) -> None:
    writer = writer_of()
    writer.stop("no", explanation)
    writer.finish()
    _, refusal, _ = deltas(writer)
    assert refusal == {"refusal": told}


@pytest.mark.parametrize(("known", "told"), [(USAGE, 3), (None, 0)])
def test_usage_comes_last_where_it_was_asked_for(known: JSON | None, told: int) -> None:
    writer = writer_of(include_usage=True)
    writer.state.usage = known
    writer.stop("end")
    writer.finish({"total_tokens": 0})
    *_, last = writer.take()
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == told
    assert writer.state.usage is known


def test_usage_stays_here_where_nobody_asked() -> None:
    writer = writer_of()
    writer.state.usage = USAGE
    writer.stop("end")
    writer.finish()
    assert all(chunk["choices"] for chunk in writer.take())


def test_a_whole_answer_says_what_a_streamed_one_says() -> None:
    answer, writer = AnswerCollector(Reply("m"), REASONS), writer_of()
    for each in (answer, writer):
        each.text("So: ")
        start = each.length
        each.text("blue")
        each.cite([{"url": "https://e.com"}], web_page, start)
        each.thinking_block({"type": "thinking"}, 2)
    message = answer.completion(answer.content, "end", None)["choices"][0]["message"]
    _, first, second, annotations, thinking = deltas(writer)
    assert message["content"] == first["content"] + second["content"]
    (annotation,) = annotations["annotations"]
    assert [{"index": 0, **each} for each in message["annotations"]] == [annotation]
    assert message["thinking_blocks"] == [{"type": "thinking", "index": 2}]
    assert thinking["thinking_blocks"][0]["block_index"] == 2

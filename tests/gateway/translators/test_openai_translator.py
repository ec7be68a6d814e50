"""What golden cases cannot say about passthrough."""

import pytest

from gateway.hub.protocol import JSON, Reply, Route
from gateway.translators import openai
from gateway.wire.bounds import MAX_EVENT
from gateway.wire.jsontext import encode

ROUTE = Route("alias", "upstream-model")


def frame(value: JSON) -> bytes:
    return b"data: " + encode(value) + b"\n\n"


def chunk(text: str, **fields: object) -> JSON:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}}
    return {"id": "c", "created": 5, "choices": [choice], **fields}


def test_the_upstream_fetches_images_itself() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    body = {"messages": [{"role": "user", "content": [image]}]}
    assert openai.remote_urls(body, ROUTE) == []


def test_unchanged_messages_are_not_copied() -> None:
    messages = [{"role": "user", "content": "Hi"}]
    sent = openai.render_request({"model": "alias", "messages": messages}, ROUTE)
    assert sent.body["messages"][0] is messages[0]


def test_a_request_without_messages_is_the_upstreams_to_refuse() -> None:
    assert "messages" not in openai.render_request({"model": "alias"}, ROUTE).body


def test_an_oversized_event_ends_the_stream_after_what_came_before() -> None:
    parser = openai.stream_parser(Reply("m"))
    out = parser.feed(frame(chunk("Hi")) + b"data: " + b"x" * (MAX_EVENT + 1))
    assert [c["choices"][0]["delta"]["content"] for c in out] == ["Hi"]
    assert parser.state.error is not None
    assert parser.state.error.code == "upstream_invalid_response"


@pytest.mark.parametrize("size", [1 << 16, 1 << 20, 1 << 30])
def test_an_image_of_nine_mebibytes_may_come_in_one_delta(size: int) -> None:
    url = "data:image/png;base64," + "A" * (9 << 20)
    image = {"type": "image_url", "image_url": {"url": url}}
    delta = {"role": "assistant", "content": "", "images": [image]}
    raw = frame({"id": "c", "choices": [{"index": 0, "delta": delta}]})
    parser = openai.stream_parser(Reply("m", largest=16 << 20))
    (out,) = [
        chunk
        for start in range(0, len(raw), size)
        for chunk in parser.feed(raw[start : start + size])
    ]
    assert out["choices"][0]["delta"]["images"] == [{**image, "index": 0}]
    assert parser.state.error is None


def test_events_divided_by_one_line_feed_are_told_as_they_come() -> None:
    parser = openai.stream_parser(Reply("m"))
    told = [parser.feed(frame(chunk(text))[:-1]) for text in "abcd"]
    assert [
        [each["choices"][0]["delta"]["content"] for each in chunks] for chunks in told
    ] == [[], ["a", "b"], ["c"], ["d"]]


def test_nothing_is_read_after_the_end() -> None:
    parser = openai.stream_parser(Reply("m"))
    end: JSON = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    out = parser.feed(frame(end) + b"data: [DONE]\n\n" + frame(chunk("Hi")))
    assert [choice["finish_reason"] for c in out for choice in c["choices"]] == ["stop"]
    assert parser.state.done
    assert parser.feed(frame(chunk("Hi"))) == []
    assert parser.close() == []


def test_nothing_is_read_after_an_error() -> None:
    parser = openai.stream_parser(Reply("m"))
    parser.feed(b'data: {"error": "no"}\n\n')
    assert parser.feed(frame(chunk("Hi"))) == []
    assert parser.state.error is not None
    assert parser.state.error.message == "no"


def test_usage_is_known_before_the_end() -> None:
    parser = openai.stream_parser(Reply("m"))
    parser.feed(frame(chunk("Hi", usage={"total_tokens": 3})))
    assert parser.state.usage == {"total_tokens": 3}
    assert not parser.state.done


def test_a_moderation_chunk_is_kept_without_its_usage() -> None:
    parser = openai.stream_parser(Reply("m"))
    moderated = {"id": "c", "choices": [], "moderation": {"a": 1}, "usage": {"b": 2}}
    (out,) = parser.feed(frame(moderated))
    assert out["moderation"] == {"a": 1}
    assert "usage" not in out


def test_a_tool_call_without_an_index_or_id_belongs_to_the_last_one() -> None:
    parser = openai.stream_parser(Reply("m"))
    calls: list[list[JSON]] = [
        [{"index": 0, "id": "a", "type": "function", "function": {"name": "f"}}],
        [{"index": 1, "id": "b", "type": "function", "function": {"name": "g"}}],
        [{"function": {"arguments": "{}"}}],
    ]
    events = [
        {"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": each}}]}
        for each in calls
    ]
    out = parser.feed(b"".join(map(frame, events)))
    indexes = [c["choices"][0]["delta"]["tool_calls"][0]["index"] for c in out]
    assert indexes == [0, 1, 1]


@pytest.mark.parametrize("reason", [{"why": "stop"}, ["stop"], 3, ""])
def test_a_finish_reason_that_is_no_word_is_none(reason: object) -> None:
    choice = {"index": 0, "message": {"content": "x"}, "finish_reason": reason}
    answer = openai.parse_response({"choices": [choice]}, {}, Reply("m"))
    assert answer["choices"][0]["finish_reason"] is None


@pytest.mark.parametrize("index", [[], {}, [0], "0", None, 1.5])
def test_whatever_stands_for_an_index_the_calls_are_numbered(index: object) -> None:
    parser = openai.stream_parser(Reply("m"))
    function = {"name": "f", "arguments": "{}"}
    call = {"index": index, "id": "a", "function": function}
    (out,) = parser.feed(frame({"choices": [{"delta": {"tool_calls": [call]}}]}))
    assert out["choices"][0]["delta"]["tool_calls"][0]["index"] == 0


@pytest.mark.parametrize("text", [b"[", b"[ping]", b"[DONE", b"{ ping"])
def test_text_that_begins_like_json_is_read_once(text):
    parser = openai.stream_parser(Reply("m", "id", 1, stream=True))
    parser.feed(b"data: " + text + b"\n\n")
    parser.close()
    assert parser.state.error is not None


def test_a_part_whose_type_is_no_text_is_another_part() -> None:
    parts = [{"type": []}, {"type": "text", "text": "a"}]
    event = encode({"choices": [{"index": 0, "delta": {"content": parts}}]})
    (chunk,) = openai.stream_parser(Reply("m")).feed(b"data: " + event + b"\n\n")
    assert chunk["choices"][0]["delta"]["content"] == "a"

"""A credential said in pieces reaches nobody, however an upstream cuts its answer."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.passages import between, to_chunks
from gateway.calls.redaction.withholding import (
    PATIENCE,
    Forms,
    Withholding,
    replaced,
)
from gateway.doors import chat
from gateway.doors.protocol import NOTHING_SENT
from gateway.hub.answers.event_relay import EventRelay
from gateway.hub.answers.names import Names
from gateway.hub.protocol import JSON, Reply
from gateway.translators import anthropic, ollama, openai
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.openai.responses.tap import ResponseTap
from gateway.wire.jsontext import encode, spellings
from tests.grammar.responses import events_of

KEY = 'sk-up/s-sk"ä-0123456789'
FORMS = Forms((*spellings(KEY), KEY.encode().hex().encode()))
ASKED = chat.parse_request(
    {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True},
    NOTHING_SENT,
)


def openai_event(text: str, field: str = "content", index: int = 0) -> JSON:
    choice = {"index": index, "delta": {field: text}, "finish_reason": None}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
    }


def framed(event: Any, escaped: bool = False) -> bytes:
    text = json.dumps(event).encode() if escaped else encode(event)
    return b"data: " + text + b"\n\n"


def openai_stream(texts: list[str], escaped: bool = False) -> list[bytes]:
    end = openai_event("")
    end["choices"][0] = {"index": 0, "delta": {}, "finish_reason": "stop"}
    frames = [framed(openai_event(each), escaped) for each in texts]
    return [*frames, framed(end), b"data: [DONE]\n\n"]


def anthropic_stream(texts: list[str]) -> list[bytes]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    usage |= {"cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    message = {"id": "msg_1", "content": [], "stop_reason": None, "usage": usage}
    start = {"type": "message_start", "message": message}
    block = {"type": "text", "text": ""}
    events = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": block},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": each},
            }
            for each in texts
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": usage,
        },
        {"type": "message_stop"},
    ]
    return [
        b"event: " + each["type"].encode() + b"\n" + framed(each) for each in events
    ]


def ollama_stream(texts: list[str]) -> list[bytes]:
    told = [{"model": "m", "message": {"content": each}} for each in texts]
    end = {"model": "m", "message": {"content": ""}, "done": True}
    return [encode(each) + b"\n" for each in [*told, end]]


STREAMS = {
    "openai": (openai, openai_stream),
    "openai, escaped": (openai, lambda texts: openai_stream(texts, escaped=True)),
    "anthropic": (anthropic, anthropic_stream),
    "ollama": (ollama, ollama_stream),
}


def pieces(reader: Any, reads: list[bytes]) -> list[Any]:
    """Return what a client gets, read by read."""
    watch: Withholding[Any] = Withholding(FORMS)
    out = [watch.pass_on(reader.feed(read)) for read in reads]
    out += [watch.pass_on(reader.close()), watch.rest()]
    return [each.data for each in out if each is not None and each.data]


def text_of(frames: bytes, field: str = "content") -> str:
    """Return what a client makes of a stream."""
    lines = [each[6:] for each in frames.split(b"\n") if each.startswith(b"data: {")]
    choices = [choice for each in lines for choice in json.loads(each)["choices"]]
    return "".join(choice["delta"].get(field) or "" for choice in choices)


def cut(data: Any, places: list[int]) -> list[Any]:
    edges = [0, *sorted(min(each, len(data)) for each in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


SAID = st.lists(
    st.sampled_from(
        [KEY, KEY[:9], KEY[:15], KEY.encode().hex(), "s", "sk", "skis are", "\n", "."]
    )
    | st.text(st.characters(codec="utf-8"), max_size=4),
    max_size=6,
).map("".join)
CUTS = st.lists(st.integers(0, 120), max_size=30)


def redacted(text: str) -> str:
    """Return what is to be read of a text; what most of a key is at its end as well."""
    return replaced(replaced(text, FORMS.find), FORMS.find_most)


@pytest.mark.parametrize("name", STREAMS)
@given(said=SAID, texts=CUTS, reads=CUTS)
def test_no_cut_lets_a_key_through(name, said, texts, reads):
    translator, stream = STREAMS[name]
    raw = b"".join(stream(cut(said, texts)))
    reader = between(chat, translator).reader(Reply("m", stream=True), ASKED)
    length = max(1, len(raw) // 120)
    sent = pieces(reader, cut(raw, [each * length for each in reads]))
    assert text_of(b"".join(sent)) == redacted(said)


@given(said=SAID, texts=CUTS)
def test_chunks_for_the_playground_are_watched_too(said, texts):
    reader = to_chunks(openai).reader(Reply("m", stream=True), ASKED)
    sent = pieces(reader, openai_stream(cut(said, texts)))
    told = [each["choices"][0]["delta"].get("content") for x in sent for each in x]
    assert "".join(each for each in told if each) == redacted(said)


def test_a_key_in_arguments_of_a_call_and_in_reasoning_is_found():
    def call(text: str) -> JSON:
        event = openai_event("")
        function = {"name": "f", "arguments": text}
        event["choices"][0]["delta"] = {
            "tool_calls": [{"index": 0, "function": function}]
        }
        return event

    for field in ("reasoning_content", "arguments"):
        texts = [KEY[:1], KEY[1:7], KEY[7:]]
        told = [
            call(x) if field == "arguments" else openai_event(x, field) for x in texts
        ]
        reader = between(chat, openai).reader(Reply("m", stream=True), ASKED)
        sent = b"".join(pieces(reader, [*map(framed, told), *openai_stream(["x"])]))
        assert b"[redacted]" in sent
        assert encode(KEY[7:])[1:-1] not in sent


def test_choices_that_take_turns_are_told_apart():
    reader = between(chat, openai).reader(Reply("m", stream=True), ASKED)
    told = [openai_event(x, index=n) for x in KEY for n in (0, 1)]
    sent = b"".join(pieces(reader, [*map(framed, told), *openai_stream([""])]))
    assert text_of(sent) == "[redacted]" * 2


def test_what_only_looks_like_a_beginning_goes_on_with_the_next_word():
    reader = between(chat, openai).reader(Reply("m", stream=True), ASKED)
    watch: Withholding[bytes] = Withholding(FORMS)
    words = ["This", " is", " his", "so", "."]
    out = [watch.pass_on(reader.feed(framed(openai_event(word)))) for word in words]
    texts = ["" if each is None else text_of(each.data) for each in out]
    assert texts == ["", "This", " is", " hisso", "."]


def test_a_word_does_not_wait_for_the_end_of_a_call_after_it():
    reader = between(chat, openai).reader(Reply("m", stream=True), ASKED)
    watch: Withholding[bytes] = Withholding(FORMS)
    assert watch.pass_on(reader.feed(framed(openai_event("This is")))) is None
    others = [openai_event("x", "reasoning_content")] * (PATIENCE + 1)
    out = [watch.pass_on(reader.feed(framed(each))) for each in others]
    assert out[:-1] == [None] * PATIENCE
    assert b"This is" in out[-1].data


def test_only_the_last_words_of_a_burst_wait():
    reader = between(chat, openai).reader(Reply("m", stream=True), ASKED)
    reader.feed(framed(openai_event("x")) * 9)
    watch: Withholding[bytes] = Withholding(FORMS)
    burst = b"".join(framed(openai_event(x)) for x in [" a", " b", " bus", "", "k"])
    told = watch.pass_on(reader.feed(burst[: burst.rindex(b"data")]))
    assert text_of(told.data) == " a b"


@pytest.mark.parametrize("key", ["redacted", "[redacted", "dacted]sk", "]sk-0123"])
@pytest.mark.parametrize("said", ["{}", "{}{}", "[redacted]", "{}]sk", "d]{}sk-0"])
def test_a_key_that_looks_like_the_mark_comes_to_an_end(key, said):
    watch: Withholding[bytes] = Withholding(Forms((key.encode(),)))
    reader = between(chat, openai).reader(Reply("m", stream=True), ASKED)
    for text in said.format(key, key):
        watch.pass_on(reader.feed(framed(openai_event(text))))
    watch.rest()


def test_tokens_do_not_tell_what_the_text_does_not():
    event = openai_event(KEY[:9])
    event["choices"][0]["logprobs"] = {"content": [{"token": KEY[:9], "logprob": 0}]}
    reader = between(chat, openai).reader(Reply("m", stream=True), ASKED)
    sent = pieces(reader, [framed(event), *openai_stream([KEY[9:]])])
    assert KEY[:9].encode() not in b"".join(sent)


@pytest.mark.parametrize("name", STREAMS)
def test_a_key_in_pieces_is_redacted_on_its_way_through_every_door(
    provider, upstream, gateway, streaming_door, name
):
    key = "sk-upstream-key-0123456789"
    translator, stream = STREAMS[name]
    provider(key=key, provider_type=translator.__name__.rpartition(".")[2])
    upstream(stream=stream(["My key: ", *key, " is mine, is"]))
    answer = streaming_door.ask(gateway(), stream=True)
    assert key[3:12] not in answer.text
    if streaming_door.name == "responses":
        # Its events are numbered: those with the rest of the credential stay, empty.
        told = events_of(answer.content)
        pieces = [each["delta"] for each in told if "delta" in each]
        assert "".join(pieces) == "My key: [redacted] is mine, is"
    else:
        said = streaming_door.said_in(answer.content)
        assert said == ("My key: [redacted] is mine, is", (), "")


def test_a_key_in_arguments_is_redacted_at_every_door(
    provider, upstream, gateway, streaming_door
):
    key = "sk-upstream-key-0123456789"
    provider(key=key)

    def call(text: str, **fields: Any) -> bytes:
        function = {"arguments": text, **fields}
        told = {"index": 0, "id": "call_1", "type": "function", "function": function}
        event = openai_event("")
        event["choices"][0]["delta"] = {"tool_calls": [told]}
        return framed(event)

    pieces = [call("", name="look"), *(call(x) for x in ('{"at": "', *key, '"}'))]
    end = openai_event("")
    end["choices"][0] = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    upstream(stream=[*pieces, framed(end), b"data: [DONE]\n\n"])
    answer = streaming_door.ask(gateway(), stream=True)
    assert key[3:12] not in answer.text
    assert "[redacted]" in answer.text


MESSAGE = ("content_block_delta", "delta", "text", {"index": 0})
RESPONSE = (
    "response.output_text.delta",
    "",
    "delta",
    {"item_id": "msg_1", "output_index": 0, "content_index": 0},
)


@pytest.mark.parametrize(
    ("tap", "event"), [(Tap, MESSAGE), (ResponseTap, RESPONSE)], ids=["message", "resp"]
)
def test_a_credential_in_events_of_different_looks_is_one(tap, event):
    """What is recognised by its bytes and what must be decoded go on together."""
    kind, within, field, place = event

    def said(text: str, **odd: Any) -> bytes:
        told = {"type": "text_delta", field: text} if within else text
        body = {"type": kind, **place, within or field: told, **odd}
        return f"event: {kind}\n".encode() + framed(body)

    relay, withholding = EventRelay(tap(Names("m", "m"))), Withholding[bytes](FORMS)
    sent = []
    for each in (said(KEY[:7]), said(KEY[7:], later={"odd": 1}), said(" ok")):
        sent.append(withholding.pass_on(relay.feed(each)))
    told = b"".join(each.data for each in sent if each is not None)
    assert encode(KEY[7:])[1:-1] not in told
    assert b"[redacted]" in told


def relayed_events(kind: str, texts: list[str], look: str) -> bytes:
    """Return pieces of text as a server writes them that pads, numbers or escapes."""
    events = []
    for number, text in enumerate(texts):
        event: JSON = {"type": kind, "index": 0}
        if kind == RESPONSE[0]:
            event |= {**RESPONSE[3], "sequence_number": number, "delta": text}
            if look == "padded":
                event["obfuscation"] = "x" * (number % 5)
        else:
            event["delta"] = {"type": "text_delta", "text": text}
        data = framed(event, escaped=look == "escaped")
        if look == "padded" and kind == MESSAGE[0]:
            data = data[:-3] + b" " * (number % 5) + data[-3:]
        events.append(f"event: {kind}\n".encode() + data)
    return b"".join(events)


def relayed_text(frames: bytes) -> str:
    """Return what a client makes of events that were passed on."""
    lines = [each[6:] for each in frames.split(b"\n") if each.startswith(b"data: {")]
    deltas = [json.loads(each)["delta"] for each in lines]
    return "".join(x if isinstance(x, str) else x["text"] for x in deltas)


@pytest.mark.parametrize("look", ["plain", "escaped", "padded"])
@pytest.mark.parametrize(
    ("tap", "kind"), [(Tap, MESSAGE[0]), (ResponseTap, RESPONSE[0])], ids=["mes", "res"]
)
@given(said=SAID, texts=CUTS, reads=CUTS)
def test_no_cut_lets_a_key_through_what_is_passed_on(
    tap, kind, look, said, texts, reads
):
    raw = relayed_events(kind, ["begun ", *cut(said, texts)], look)
    length = max(1, len(raw) // 120)
    relay, watch = EventRelay(tap(Names("m", "m"))), Withholding[bytes](FORMS)
    sent = []
    for read in cut(raw, [each * length for each in reads]):
        relayed = relay.feed(read)
        # It was read by who passes it on, not once more.
        assert relayed.said is not None or not relayed.data
        sent.append(watch.pass_on(relayed))
    sent.append(watch.rest())
    told = b"".join(each.data for each in sent if each is not None)
    assert relayed_text(told) == redacted("begun " + said)

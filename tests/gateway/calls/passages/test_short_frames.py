"""The short way of text gives what the long way gives, to the byte."""

import json
from itertools import pairwise, product

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from gateway.calls.passages.short_frames import short_frames
from gateway.calls.passages.through_hub import frames
from gateway.calls.redaction.withholding import Forms, Withholding
from gateway.doors import chat, messages, responses
from gateway.doors.protocol import NOTHING_SENT
from gateway.hub.answers.plain.rows import PlainRows
from gateway.hub.answers.plain.runs import Runs
from gateway.hub.protocol import Reply
from gateway.translators import openai
from gateway.wire.jsontext import spellings
from tests.gateway.calls.passages.reading import quickly

DOORS = {"chat": chat, "messages": messages, "responses": responses}
KEY = 'sk-"\\up'
FORMS = Forms(spellings(KEY))
ASKED = {
    "model": "m",
    "stream": True,
    "messages": [{"role": "user", "content": "hi"}],
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
}
ASKED_RESPONSE = {
    "model": "m",
    "stream": True,
    "input": "hi",
    "tools": [{"type": "function", "name": "f", "parameters": {}}],
}

TEXTS = st.text(max_size=6) | st.sampled_from(
    ["", " ", "\n", 'a"b', "\\", "\x7f\u2028", "\x00", "😀", KEY[:3], KEY[3:], KEY]
)


def delta(value, **fields):
    return {"delta": value, **fields}


def call(arguments, index=0, **head):
    return {"index": index, "function": {"arguments": arguments}, **head}


PIECES = TEXTS.map(lambda text: delta({"content": text}))
CALLS = st.builds(call, TEXTS, st.sampled_from([0, 0, 1]))
BEGUN = st.integers(0, 1).map(
    lambda index: {
        "index": index,
        "id": f"call_{index}",
        "type": "function",
        "function": {"name": "f", "arguments": '{"a'},
    }
)
OTHERS = st.one_of(
    TEXTS.map(lambda text: delta({"reasoning_content": text})),
    TEXTS.map(lambda text: delta({"refusal": text})),
    (CALLS | BEGUN).map(lambda each: delta({"tool_calls": [each]})),
    st.sampled_from(
        [
            delta({"content": "x"}, index=1),
            delta({"content": "x"}, logprobs={"content": [{"token": "x"}]}),
            delta({"role": "assistant", "content": ""}),
            delta({"content": "x"}, finish_reason="stop"),
            delta({}, finish_reason="tool_calls"),
            delta({"content": None}),
        ]
    ),
)
TAILS = st.sampled_from(
    [
        {},
        {},
        {},
        {"usage": None},
        {"service_tier": "flex"},
        {"service_tier": "default", "obfuscation": "xy"},
        {"usage": {"prompt_tokens": 3, "completion_tokens": 5}},
        {"error": {"message": "no"}},
    ]
)
RUNS = st.tuples(
    st.lists(PIECES, min_size=1, max_size=6)
    | st.lists(PIECES, min_size=12, max_size=12)
    | st.lists(OTHERS),
    TAILS,
)


def payload(choice, tail, compact):
    chunk = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 5,
        "model": "x",
        "choices": [{"index": 0, "finish_reason": None, **choice}],
        **tail,
    }
    separators = (",", ":") if compact else None
    return json.dumps(chunk, separators=separators, ensure_ascii=not compact)


@st.composite
def streams(draw):
    """The bytes of a stream, most of it text."""
    runs = draw(st.lists(RUNS, max_size=5))
    written = [
        payload(choice, tail, compact)
        for choices, tail in runs
        for compact in [draw(st.booleans())]
        for choice in choices
    ]
    last = draw(st.sampled_from(["", "[DONE]", '{"cut', "nonsense"]))
    return "".join(f"data: {each}\n\n" for each in [*written, last]).encode()


PLACES = st.lists(st.integers(0, 4000), max_size=12) | st.integers(1, 400)
"""Where a stream is cut, or every how many bytes."""


def cut(data, places):
    if isinstance(places, int):
        places = range(0, len(data), places)
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(edges)]


def reader(door, make):
    body = ASKED_RESPONSE if door is responses else ASKED
    asked = door.parse_request(body, NOTHING_SENT)
    return make(openai.stream_parser(Reply("m")), door.stream_renderer(asked))


def told(read):
    """What is known of a stream; errors are compared by what they say."""
    state = read.state
    return str(state.error), state.done, state.usage, state.is_unexplained


def last_words(read):
    error = read.state.error
    return read.renderer.end() if error is None else read.renderer.fail(error)


# A stream takes longer to be made up than to be read: each is read at every door.
@settings(max_examples=200)
@given(data=streams(), places=PLACES)
def test_the_short_way_gives_what_the_long_way_gives(data, places):
    reads = cut(data, places)
    for door, make in product(DOORS, [short_frames, quickly]):
        note(f"{door}, {make.__name__}")
        long, short = (reader(DOORS[door], make) for make in (frames, make))
        for read in reads:
            assert short.feed(read) == long.feed(read)
            assert told(short) == told(long)
        assert short.close() == long.close()
        assert last_words(short) == last_words(long)


@settings(max_examples=200)
@given(data=streams(), places=PLACES)
def test_credentials_are_withheld_alike(data, places):
    reads = cut(data, places)
    for door in DOORS:
        note(door)
        out = []
        for make in (frames, short_frames, quickly):
            read, withholding = reader(DOORS[door], make), Withholding(FORMS)
            given = [withholding.pass_on(read.feed(each)) for each in reads]
            given += [withholding.pass_on(read.close()), withholding.rest()]
            out.append([each and each.data for each in given])
        assert out[0] == out[1] == out[2]


@pytest.mark.parametrize("end", ["\n", ' "é', "é", ""])
@pytest.mark.parametrize("door", DOORS)
def test_text_does_go_the_short_way(door, end, monkeypatch):
    runs, bare = [], []
    translate, told = PlainRows.translate, Runs.told

    def by_rows(self, rows, renderer=None):
        found = translate(self, rows, renderer)
        runs.append(len(rows.split(b"\n")) if found else 0)
        return found

    def by_texts(self, run, renderer):
        bare.append(len(run.texts))
        return told(self, run, renderer)

    monkeypatch.setattr(PlainRows, "translate", by_rows)
    monkeypatch.setattr(Runs, "told", by_texts)
    texts = [f"w{n}{end}" for n in range(50)]
    words = [payload(delta({"content": text}), {}, True) for text in texts]
    data = "".join(f"data: {each}\n\n" for each in words).encode()
    said = reader(DOORS[door], short_frames).feed(data)
    assert said.said == {"content": "".join(texts)}
    assert (bare if end in ("é", "") else runs) == [48]
    assert len(bare + runs) == 1


@pytest.mark.parametrize("tail", [{}, {"obfuscation": "ab1"}])
@pytest.mark.parametrize("size", [90, 200, 250, 600])
@pytest.mark.parametrize("door", DOORS)
def test_small_reads_of_text_do_go_the_quick_way(door, size, tail):
    texts = [f"w{n} é" for n in range(100)]
    words = [payload(delta({"content": text}), tail, True) for text in texts]
    data = "".join(f"data: {each}\n\n" for each in words).encode()
    read = reader(DOORS[door], quickly)
    reads = cut(data, size)
    said = [read.feed(each).said.get("content", "") for each in reads]
    assert "".join(said) == "".join(texts)
    assert read.texts > len(reads) * 0.8

"""Claude's plain text goes the short way, and comes out as by the long one."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from gateway.calls.passages.short_frames import short_frames
from gateway.calls.passages.through_hub import frames
from gateway.calls.redaction.withholding import Forms, Withholding
from gateway.doors import chat, responses
from gateway.doors.protocol import NOTHING_SENT
from gateway.hub.answers.plain.rows import PlainRows
from gateway.hub.answers.relay import joined
from gateway.hub.protocol import Reply
from gateway.translators import anthropic
from gateway.wire.jsontext import spellings
from tests.gateway.calls.passages.reading import quickly

KEY = 'sk-"\\up'
FORMS = Forms(spellings(KEY))
ASKED = {
    chat: {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    responses: {"model": "m", "input": "hi"},
}
DOORS = (chat, responses)

TEXTS = st.text(max_size=6) | st.sampled_from(
    ["", " ", "\n", 'a"b', "\\", "\x7f\u2028", "😀", '"text":"', KEY[:3], KEY[3:], KEY]
)


def event(kind, **fields):
    return {"type": kind, **fields}


def delta(kind, index=0, **fields):
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def begun(block, index=0):
    return event("content_block_start", index=index, content_block=block)


START = event(
    "message_start",
    message={"usage": {"input_tokens": 3, "service_tier": "priority"}, "content": []},
)
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
CITED = {"type": "web_search_result_location", "url": "https://a.example", "title": "a"}
END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"o": 1})
OTHERS = st.one_of(
    TEXTS.map(lambda text: delta("thinking_delta", thinking=text)),
    TEXTS.map(lambda text: delta("input_json_delta", 1, partial_json=text)),
    TEXTS.map(lambda text: delta("text_delta", 2, text=text)),
    TEXTS.map(lambda text: delta("text_delta", text=text, more=1)),
    st.sampled_from(
        [
            START,
            begun({"type": "text", "text": ""}),
            begun({"type": "thinking", "thinking": ""}),
            begun(CALL, 1),
            begun({"type": "server_tool_use"}, 2),
            delta("citations_delta", citation=CITED),
            delta("text_delta", text=None),
            event("content_block_stop", index=0),
            event("content_block_stop", index=1),
            event("ping"),
            END,
            event("message_stop"),
            event("error", error={"type": "overloaded_error", "message": "no"}),
        ]
    ),
)
PIECES = TEXTS.map(lambda text: delta("text_delta", text=text))
RUNS = (
    st.lists(PIECES, min_size=1, max_size=6)
    | st.lists(PIECES, min_size=12, max_size=12)
    | st.lists(OTHERS, max_size=3)
)
BETWEEN = st.sampled_from(["", "", "", ": comment\n", "id: 5\n", "\n", "{cut\n\n"])


def written(value, spaced, ascii, blanks):
    separators = None if spaced else (",", ":")
    text = json.dumps(value, separators=separators, ensure_ascii=ascii)
    return f"event: {value['type']}\ndata: {text[:-1]}{' ' * blanks}}}"


@st.composite
def streams(draw):
    """The bytes of a stream, most of it text."""
    out = ""
    opening = [START, begun({"type": "text", "text": ""})]
    runs = [opening, *draw(st.lists(RUNS, max_size=6)), [END, event("message_stop")]]
    end = draw(st.sampled_from(["\n\n"] * 5 + ["\n"]))
    for run in runs:
        how = draw(st.booleans()), draw(st.booleans())
        for each in run:
            out += draw(BETWEEN) + written(each, *how, draw(st.sampled_from([0, 0, 3])))
            out += end
    lines = draw(st.sampled_from(["\n"] * 6 + ["\r\n", "\r"]))
    return out.replace("\n", lines).encode("utf-8", "surrogatepass")


PLACES = st.lists(st.integers(0, 4000), max_size=12) | st.integers(1, 400)
"""Where a stream is cut, or every how many bytes."""


def cut(data, places):
    if isinstance(places, int):
        places = range(0, len(data), places)
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(edges)]


def reader(door, make, **told):
    asked = door.parse_request({"stream": True, **ASKED[door]}, NOTHING_SENT)
    reply = Reply("m", **told)
    return make(anthropic.stream_parser(reply), door.stream_renderer(asked))


def told(read):
    """What is known of a stream; errors are compared by what they say."""
    state = read.state
    return str(state.error), state.done, state.usage, state.is_unexplained


# A stream takes longer to be made up than to be read: each is read at every door.
@settings(max_examples=200)
@given(
    data=streams(),
    places=PLACES,
    largest=st.sampled_from([1 << 20, 1 << 20, 200]),
    make=st.sampled_from([short_frames, quickly]),
)
def test_the_short_way_gives_what_the_long_way_gives(data, places, largest, make):
    reads = cut(data, places)
    for door in DOORS:
        note(door.__name__)
        ways = (frames, make)
        long, short = (reader(door, make, largest=largest) for make in ways)
        early, late = [], []
        for read in reads:
            early.append(short.feed(read))
            late.append(long.feed(read))
            if early[-1] != late[-1]:
                # Of a server that forgets blank lines an event may be seen sooner.
                assert joined(early).data.startswith(joined(late).data)
        early.append(short.close())
        late.append(long.close())
        assert joined(early) == joined(late)
        assert told(short) == told(long)
        assert short.renderer.end() == long.renderer.end()


@settings(max_examples=100)
@given(data=streams(), places=PLACES)
def test_credentials_are_withheld_alike(data, places):
    reads = cut(data, places)
    for door in DOORS:
        note(door.__name__)
        out = []
        for make in (frames, short_frames, quickly):
            read, withholding = reader(door, make), Withholding(FORMS)
            given = [withholding.pass_on(read.feed(each)) for each in reads]
            given += [withholding.pass_on(read.close()), withholding.rest()]
            out.append([each and each.data for each in given])
        assert out[0] == out[1] == out[2]


@pytest.mark.parametrize("blanks", [0, 4])
@pytest.mark.parametrize("size", [30, 200, 10**6])
def test_text_does_go_the_short_way(size, blanks, monkeypatch):
    rows = []
    translate, only = PlainRows.translate, PlainRows.only

    def by_runs(self, given, renderer=None):
        rows.extend(given.split(b"\n"))
        return translate(self, given, renderer)

    def alone(self, data, renderer):
        known = len(rows)
        found = only(self, data, renderer)
        # Several at once are translated as runs are.
        rows.extend([found] if found and len(rows) == known else [])
        return found

    monkeypatch.setattr(PlainRows, "translate", by_runs)
    monkeypatch.setattr(PlainRows, "only", alone)
    words = [delta("text_delta", text=f"w{n}\n") for n in range(50)]
    events = [START, begun({"type": "text", "text": ""}), *words, END]
    data = "".join(f"{written(e, True, True, blanks)}\n\n" for e in events).encode()
    read = reader(chat, short_frames)
    for start in range(0, len(data), size):
        read.feed(data[start : start + size])
    assert len(rows) == 49

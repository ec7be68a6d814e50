"""The server-sent events decoder against the standard, and against cutting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import sse
from gateway.wire.bounds import EventTooLarge
from gateway.wire.sse import Event, SSEDecoder
from tests.at_once import at_once


def decode(raw: bytes, size: int = 0, limit: int = 1 << 20) -> list[Event]:
    decoder = SSEDecoder(limit)
    events: list[Event] = []
    pieces = [raw[i : i + size] for i in range(0, len(raw), size)] if size else [raw]
    try:
        for piece in pieces:
            events += decoder.feed(piece)
    except EventTooLarge as error:
        return [*events, *error.events, Event(b"", "too large")]
    return [*events, *decoder.close()]


@at_once("size", [0, 1, 2, 3, 7])
@at_once(
    ("raw", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [Event(b"a"), Event(b"b")]),
        (b"data:a\n\n", [Event(b"a")]),
        (b"data:  a\n\n", [Event(b" a")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [Event(b"a"), Event(b"b")]),
        (b"data: a\r\rdata: b\r\r", [Event(b"a"), Event(b"b")]),
        (b"data: a\r\n\ndata: b\n\r\n", [Event(b"a"), Event(b"b")]),
        (b"data: a\ndata: b\n\n", [Event(b"a\nb")]),
        (b"data\ndata\n\n", [Event(b"\n")]),
        (b": ping\n\n:\n\ndata: a\n: x\n\n", [Event(b"a")]),
        (b"event: error\ndata: a\n\ndata: b\n\n", [Event(b"a", "error"), Event(b"b")]),
        (b"event: lonely\n\ndata: a\n\n", [Event(b"a")]),
        (b"id: 1\nretry: 5\nother: 6\ndata: a\n\n", [Event(b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event(b"a")]),
        (b"\xef\xbbdata: a\n\ndata: b\n\n", [Event(b"b")]),
        (b"\n\n\n\ndata: a\n\n\n\ndata: b\n\n", [Event(b"a"), Event(b"b")]),
        (b" data: a\n\ndatax: a\n\n", []),
        (b"data: a:b: c\n\n", [Event(b"a:b: c")]),
        ("data: é漢\n\n".encode(), [Event("é漢".encode())]),
        (b"", []),
    ],
)
def test_events_follow_the_standard(raw: bytes, events: list[Event], size: int) -> None:
    assert decode(raw, size) == events


@given(
    st.lists(
        st.sampled_from(
            [b"data: a", b"data:b", b"data", b"event: e", b": c", b"\xef\xbb\xbf", b"x"]
            + [b"data: {}", b'data: {"b":', b"error: f"]
            + [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n"] * 2
        ),
        max_size=30,
    ).map(b"".join),
    st.integers(1, 9),
)
def test_cutting_changes_nothing(raw: bytes, size: int) -> None:
    assert decode(raw, size) == decode(raw)


@pytest.mark.parametrize("size", [0, 1, 10])
def test_an_event_at_the_bound_passes(size: int) -> None:
    block = b"data: " + b"x" * 94
    assert decode(block + b"\n\n", size, limit=100) == [Event(b"x" * 94)]


@pytest.mark.parametrize("size", [0, 1, 10])
@pytest.mark.parametrize("end", [b"\n\n", b"", b"\n"])
def test_an_event_beyond_the_bound_keeps_the_ones_before(size: int, end: bytes) -> None:
    raw = b"data: a\n\ndata: " + b"x" * 95 + end
    assert decode(raw, size, limit=100) == [Event(b"a"), Event(b"", "too large")]


def test_the_last_event_may_lack_its_blank_line() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\n\ndata: [DONE]") == [Event(b"a")]
    assert decoder.close() == [Event(b"[DONE]")]
    assert decoder.close() == []


def test_encoded_chunks_decode_to_themselves() -> None:
    values = [{"a": "x\n\ndata: y"}, {"é": [1, None]}]
    events = decode(sse.encode(values))
    assert [event.data for event in events] == [
        b'{"a":"x\\n\\ndata: y"}',
        '{"é":[1,null]}'.encode(),
    ]


def test_encoding_nothing_gives_nothing() -> None:
    assert sse.encode([]) == b""


def test_a_keep_alive_is_no_event() -> None:
    assert decode(sse.KEEP_ALIVE) == []


OBJECTS = [b'{"a":1}', b'{"b":"\\ud83d"}', b"{}", b"[DONE]"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11])
@pytest.mark.parametrize("names", [b"", b"event: message\n", b"id: 1\n"])
def test_events_divided_by_one_line_feed_are_read_as_they_come(
    size: int, names: bytes
) -> None:
    raw = b"".join(names + b"data: " + each + b"\n" for each in OBJECTS)
    assert [data for data, _ in decode(raw, size)] == OBJECTS
    decoder = SSEDecoder()
    read = [decoder.feed(names + b"data: " + each + b"\n") for each in OBJECTS]
    # What the first line is shows when the second one has come.
    assert [[data for data, _ in events] for events in read] == [
        [],
        OBJECTS[:2],
        OBJECTS[2:3],
        OBJECTS[3:],
    ]


def test_an_event_of_several_lines_stays_one() -> None:
    raw = b'data: {\ndata: "a": {},\ndata: "b": 1\ndata: }\n\n'
    for size in (0, 1, 5):
        assert decode(raw, size) == [Event(b'{\n"a": {},\n"b": 1\n}')]


def test_a_line_beyond_the_bound_keeps_the_ones_before() -> None:
    raw = b'data: {}\ndata: {}\ndata: "' + b"x" * 95
    for size in (0, 1, 10):
        assert decode(raw, size, limit=100) == [
            Event(b"{}"),
            Event(b"{}"),
            Event(b"", "too large"),
        ]

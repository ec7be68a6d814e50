"""Server-sent events to the letter."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.bounds import EventTooLarge
from gateway.wire.sse import SSEDecoder
from gateway.wire.sse_blocks import BlockDecoder, blocks, divided, read

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.sampled_from([b"event: a", b"data: 1", b"data:", b": c", "data: é".encode()])
NAMED = st.sampled_from(
    [b"data: {}", b'event: a\ndata: {"b": 1}', b': c\ndata: {"b": "\\n"}']
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Return events with line ends of one kind, which servers keep to."""
    end = draw(ENDS)
    events = draw(st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=5))
    return b"".join(end.join([*lines, b"", b""]) for lines in events)


@st.composite
def divided_streams(draw: st.DrawFn) -> bytes:
    """Return events, each one of one line of data, of which some lack a blank line."""
    first = draw(NAMED)
    others = draw(st.lists(st.tuples(st.sampled_from([b"\n", b"\n\n"]), NAMED)))
    data = first + b"\n" + draw(NAMED) + b"".join(b"".join(each) for each in others)
    return (data + b"\n").replace(b"\n", draw(ENDS))


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(streams(), st.lists(st.integers(0, 400), max_size=12))
def test_nothing_is_lost_or_changed_however_it_is_cut(data, places):
    decoder = BlockDecoder()
    heads = [decoder.feed(piece) for piece in cut(data, places)]
    assert b"".join(heads) + decoder.close() == data
    single = [block for head in heads if head for block in blocks(head)]
    assert b"".join(single) == b"".join(heads)


@given(streams(), st.lists(st.integers(0, 400), max_size=12))
def test_each_block_says_what_a_decoder_reads_there(data, places):
    decoder = BlockDecoder()
    heads = [decoder.feed(piece) for piece in cut(data, places)]
    found = [block for head in heads if head for block in blocks(head)]
    found += [rest] if (rest := decoder.close()) else []
    events = [read(block)[0] for block in found]
    plain = SSEDecoder(is_strict=True)
    expected = plain.feed(data) + plain.close()
    assert [event for event in events if event is not None] == expected


def test_a_byte_order_mark_is_left_out():
    decoder = BlockDecoder()
    given = [decoder.feed(bytes([each])) for each in b"\xef\xbb\xbfdata: 1\n\n"]
    assert b"".join(given) == b"data: 1\n\n"


def test_what_is_no_field_is_told_apart():
    assert read(b"<html>\n\n") == (None, b"<html>\n")
    assert read(b": keep-alive\n\n") == (None, b"")


def test_an_event_that_outgrows_its_bound_ends_the_stream():
    decoder = BlockDecoder(limit=10)
    assert decoder.feed(b"data: 1\n\n" * 9) == b"data: 1\n\n" * 9
    with pytest.raises(EventTooLarge):
        decoder.feed(b"data: 12345")


@given(divided_streams(), st.lists(st.integers(0, 400), max_size=12))
def test_events_divided_by_one_line_feed_get_their_blank_line(data, places):
    lenient = SSEDecoder()
    expected = lenient.feed(data) + lenient.close()
    decoder = BlockDecoder()
    heads = [decoder.feed(piece) for piece in cut(data, places)]
    strict = SSEDecoder(is_strict=True)
    found = [
        event
        for head in heads
        if head
        for block in blocks(head)
        for each in divided(block)
        for event in strict.feed(each)
    ]
    last = decoder.close().rstrip(b"\r\n")
    found += strict.feed(last + b"\n\n")
    assert found == expected


def test_the_second_of_them_brings_the_first():
    decoder = BlockDecoder()
    assert decoder.feed(b"event: a\ndata: {}\n") == b""
    assert decoder.feed(b"event: b\n") == b"event: a\ndata: {}\n\n"
    assert decoder.feed(b"data: {}") == b""
    assert decoder.feed(b"\n") == b"event: b\ndata: {}\n\n"


def test_an_event_in_several_lines_stays_one():
    text = b'event: a\ndata: {\ndata: "b": 1}\n\n'
    assert BlockDecoder().feed(text) == text
    assert divided(text) == [text]

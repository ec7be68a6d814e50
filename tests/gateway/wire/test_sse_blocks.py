"""Server-sent events to the letter."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.bounds import EventTooLarge
from gateway.wire.sse import SSEDecoder
from gateway.wire.sse_blocks import BlockDecoder, blocks, read

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.sampled_from(
    [b"event: a", b"data: {}", b"data:", b": c", "data: é".encode()]
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Return events with line ends of one kind, which servers keep to."""
    end = draw(ENDS)
    events = draw(st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=5))
    return b"".join(end.join([*lines, b"", b""]) for lines in events)


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

"""Frames of an AWS event stream: the same however cut, and broken ones named."""

import struct
from itertools import pairwise
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.eventstream import EventStreamDecoder, Frame
from tests.gateway.frames import frame_bytes


def event(payload: bytes, name: str = "chunk") -> bytes:
    return frame_bytes(payload, {":message-type": "event", ":event-type": name})


def decode_in_cuts(data: bytes, cuts: list[int]) -> tuple[list[Frame], str | None]:
    decoder = EventStreamDecoder()
    frames: list[Frame] = []
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        frames += decoder.feed(data[start:end])
    return frames, decoder.error


@given(
    payloads=st.lists(st.binary(max_size=60), max_size=6),
    cuts=st.lists(st.integers(min_value=0, max_value=2000), max_size=12),
)
def test_any_cuts_give_the_same_frames(payloads: list[bytes], cuts: list[int]) -> None:
    data = b"".join(event(payload, f"n{i}") for i, payload in enumerate(payloads))
    frames, error = decode_in_cuts(data, cuts)
    assert error is None
    assert [(f.name, f.payload) for f in frames] == [
        (f"n{i}", payload) for i, payload in enumerate(payloads)
    ]


@given(
    flip=st.integers(min_value=0, max_value=10_000),
    cuts=st.lists(st.integers(min_value=0, max_value=2000), max_size=6),
)
def test_a_flipped_byte_never_gives_a_wrong_frame(flip: int, cuts: list[int]) -> None:
    whole = [event(b'{"a":1}'), event(b'{"b":2}', "x"), event(b"")]
    data = bytearray(b"".join(whole))
    data[flip % len(data)] ^= 0x41
    frames, error = decode_in_cuts(bytes(data), cuts)
    intact, _ = decode_in_cuts(b"".join(whole), [])
    assert frames == intact[: len(frames)]
    assert len(frames) < 3
    assert error is not None


def test_two_frames_in_one_read_are_both_given() -> None:
    frames = EventStreamDecoder().feed(event(b"1") + event(b"2"))
    assert [frame.payload for frame in frames] == [b"1", b"2"]


def test_a_frame_over_three_reads_comes_with_the_last() -> None:
    data = event(b"payload")
    decoder = EventStreamDecoder()
    assert decoder.feed(data[:5]) == []
    assert decoder.feed(data[5:30]) == []
    assert [frame.payload for frame in decoder.feed(data[30:])] == [b"payload"]


def test_a_wrong_checksum_keeps_the_frames_before_it_and_ends_the_stream() -> None:
    headers = {":message-type": "event", ":event-type": "chunk"}
    decoder = EventStreamDecoder()
    frames = decoder.feed(event(b"ok") + frame_bytes(b"bad", headers, crc_change=1))
    assert [frame.payload for frame in frames] == [b"ok"]
    assert decoder.error is not None
    assert "ChecksumMismatch" in decoder.error
    assert decoder.feed(event(b"later")) == []


def test_an_oversized_frame_is_refused_before_its_bytes_are_kept() -> None:
    start = struct.pack("!II", 9 * 1024 * 1024, 0)
    decoder = EventStreamDecoder()
    assert decoder.feed(start + struct.pack("!I", crc32(start))) == []
    assert decoder.error is not None
    assert "larger than" in decoder.error


@pytest.mark.parametrize("total", [0, 4, 12, 15])
def test_a_frame_too_short_to_be_one_is_refused(total: int) -> None:
    start = struct.pack("!II", total, 0)
    decoder = EventStreamDecoder()
    decoder.feed(start + struct.pack("!I", crc32(start)) + b"\0" * 32)
    assert decoder.error is not None
    assert "shorter" in decoder.error


def test_headers_that_cannot_be_read_are_one_defined_error() -> None:
    packed = b"\x01a\x63"  # a header of a type that does not exist
    start = struct.pack("!II", len(packed) + 16, len(packed))
    body = start + struct.pack("!I", crc32(start)) + packed
    decoder = EventStreamDecoder()
    decoder.feed(body + struct.pack("!I", crc32(body)))
    assert decoder.error is not None


def test_the_name_of_an_exception_and_of_an_error_is_read() -> None:
    exception = {":message-type": "exception", ":exception-type": "throttlingException"}
    error = {":message-type": "error", ":error-code": "InternalFailure"}
    frames = EventStreamDecoder().feed(
        frame_bytes(b"{}", exception) + frame_bytes(b"", error)
    )
    assert [(frame.kind, frame.name) for frame in frames] == [
        ("exception", "throttlingException"),
        ("error", "InternalFailure"),
    ]

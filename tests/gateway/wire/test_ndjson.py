"""The line decoder, whole and cut."""

import pytest

from gateway.wire.bounds import EventTooLarge
from gateway.wire.ndjson import NDJSONDecoder


def decode(raw: bytes, size: int = 0, limit: int = 1 << 20) -> list[bytes]:
    decoder = NDJSONDecoder(limit)
    lines: list[bytes] = []
    pieces = [raw[i : i + size] for i in range(0, len(raw), size)] if size else [raw]
    try:
        for piece in pieces:
            lines += decoder.feed(piece)
    except EventTooLarge as error:
        return [*lines, *error.events, b"too large"]
    return [*lines, *decoder.close()]


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\r\n\r\n{"b":2}\r\n', [b'{"a":1}', b'{"b":2}']),
        (b'\n\n {"a":1} \n', [b'{"a":1}']),
        (b'{"a":1}\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
        ('{"a":"é漢"}\n'.encode(), ['{"a":"é漢"}'.encode()]),
        (b"", []),
    ],
)
def test_lines_are_the_same_however_they_are_cut(
    raw: bytes, lines: list[bytes], size: int
) -> None:
    assert decode(raw, size) == lines


@pytest.mark.parametrize("size", [0, 1, 10])
def test_a_line_at_the_bound_passes(size: int) -> None:
    assert decode(b"x" * 100 + b"\n", size, limit=100) == [b"x" * 100]


@pytest.mark.parametrize("size", [0, 1, 10])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_beyond_the_bound_keeps_the_ones_before(size: int, end: bytes) -> None:
    raw = b"a\n" + b"x" * 101 + end
    assert decode(raw, size, limit=100) == [b"a", b"too large"]

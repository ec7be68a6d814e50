"""Numbered events that are written and read together are what they are one by one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.doors.responses.streams.frames import Frames, opening
from gateway.hub.answers.plain import numbers
from gateway.hub.answers.plain.alike import Alike
from gateway.wire.jsontext import encode

DELTA = opening("response.output_text.delta")
BEFORE, AFTER = b',"item_id":"msg_1","delta":', b',"logprobs":[]}'

firsts = st.one_of(st.integers(0, 120), st.integers(990, 1030))
texts = st.lists(st.sampled_from(["", "a", "b c", '"', "é", "\n"]), max_size=40)


def written(first, said, *, long=""):
    """Return events, one by one."""
    frames = Frames(first)
    for text in said:
        told = b"%b%b%b" % (BEFORE, encode(text), AFTER)
        frames.add_encoded(opening(f"response.{long}delta"), told)
    return frames.take()


@given(firsts, texts, st.sampled_from(["output_text.", "x" * 300]))
@example(0, ["a"] * 1030, "output_text.")
def test_events_are_written_together_as_they_are_one_by_one(first, said, long):
    frames = Frames(first)
    begin = opening(f"response.{long}delta")
    if said:
        frames.add_each(begin, BEFORE, list(map(encode, said)), AFTER)
    frames.add("response.x", {})
    one_by_one = Frames(first + len(said))
    one_by_one.add("response.x", {})
    assert frames.take() == written(first, said, long=long) + one_by_one.take()


@given(firsts, texts, st.integers(0, 39))
@example(0, ["a"] * 1030, 0)
def test_events_are_read_together_as_they_are_one_by_one(first, said, other):
    known = Alike.of(written(first, ["a"], long="output_text."))
    events = written(first, said, long="output_text.")
    told = known.said(events)
    assert (told is None) == (not said)
    if said:
        assert list(told.values()) == ["".join(said)]
        # One that is numbered otherwise is none of these.
        place = other % len(said)
        wrong = written(first, said[:place], long="output_text.")
        wrong += written(first + place + 1, said[place:], long="output_text.")
        if place > 0:
            assert known.said(wrong) is None


@pytest.mark.parametrize("first", [0, 8, 95, 999, 1020])
def test_numbers_are_as_long_as_they_are_written(first):
    written = numbers.written(first, 150)
    lengths = [
        digits for digits, many in numbers.as_long(first, 150) for _ in range(many)
    ]
    assert written == [str(first + at).encode() for at in range(150)]
    assert lengths == list(map(len, written))

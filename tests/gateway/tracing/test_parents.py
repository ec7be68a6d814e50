"""Traces that callers name, and what goes on of them."""

import pytest

from gateway.ledger.spool import Entry, Spool
from gateway.tracing.parents import parent
from gateway.tracing.spans import Tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SOUND = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("given", "is_sampled"),
    [
        (SOUND, True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        # A later version may say more.
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-brings", True),
    ],
)
def test_a_sound_parent_is_understood(given, is_sampled):
    found = parent({"traceparent": [given], "tracestate": ["a=1", "b=2"]})
    assert (found.trace_id, found.span_id) == (TRACE, SPAN)
    assert found.is_sampled == is_sampled
    flags = "01" if is_sampled else "00"
    assert found.headers() == {
        "traceparent": f"00-{TRACE}-{SPAN}-{flags}",
        "tracestate": "a=1,b=2",
    }


@pytest.mark.parametrize(
    "given",
    [
        *([], [""], [SOUND, SOUND], ["00-xyz"], [SOUND + "-more"], [SOUND.upper()]),
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE}-{SPAN}-01\r\nx: y"],
    ],
)
def test_anything_else_is_no_trace(given):
    assert parent({"traceparent": given}) is None


def test_a_state_that_is_no_header_goes_nowhere():
    found = parent({"traceparent": [SOUND], "tracestate": ["a=1\r\nx-evil: 1"]})
    assert "tracestate" not in found.headers()


def test_what_is_off_names_the_trace_in_the_log_and_to_nobody_else(tmp_path):
    entry = Entry(Spool(tmp_path))
    assert Tracing().begin(entry, {"traceparent": [SOUND]}) == {}
    assert entry.trace.id == TRACE
    assert Tracing().begin(Entry(Spool(tmp_path)), {}) == {}

"""What speaks the Responses API on both sides is passed on as it stands."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hub.answers.event_relay import EventRelay
from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import joined
from gateway.hub.protocol import Route
from gateway.translators.openai.responses.request import Received, render_request
from gateway.translators.openai.responses.tap import ResponseTap, number_behind
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.sse import SSEDecoder

SAME = Names("gpt", "gpt")
RESPONSE = {"id": "resp_1", "model": "gpt-2026", "status": "completed", "output": []}


def event(number, kind, **fields):
    body = {"type": kind, "sequence_number": number, **fields}
    return f"event: {kind}\ndata: {json.dumps(body)}\n\n".encode()


def delta(number, text, index=0, kind="response.output_text.delta"):
    return event(number, kind, item_id="msg_1", output_index=index, delta=text)


WHOLE = b"".join(
    [
        event(0, "response.created", response={**RESPONSE, "status": "in_progress"}),
        b": alive\n\n",
        delta(1, 'he said "é\n'),
        delta(2, "\\"),
        delta(3, '{"a', 1, "response.function_call_arguments.delta"),
        event(4, "response.of_tomorrow", x=1e0),
        event(5, "response.completed", response=RESPONSE),
    ]
)


def relayed(data, names=SAME, cuts=()):
    """A relay after `data` and the end of it, and all that it gave."""
    relay = EventRelay(ResponseTap(names))
    edges = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    given = [relay.feed(data[a:b]) for a, b in itertools.pairwise(edges)]
    return relay, joined([*given, relay.close()])


@given(st.lists(st.integers(0, 2000), max_size=20), st.sampled_from([b"\n", b"\r\n"]))
def test_a_stream_goes_on_as_it_came_however_it_is_cut(cuts, end):
    data = WHOLE.replace(b"\n", end)
    relay, given = relayed(data, cuts=cuts)
    assert given.data == data
    assert relay.state.done
    assert relay.state.error is None
    assert given.finish_reason == "stop"


@given(st.lists(st.integers(0, 2000), max_size=20), st.sampled_from([b"\n", b"\r\n"]))
def test_events_divided_by_one_line_feed_go_on_as_events(cuts, end):
    data = WHOLE.replace(b"\n\n", b"\n").replace(b"\n", end)
    relay, given = relayed(data, cuts=cuts)
    strict = SSEDecoder(is_strict=True)
    assert strict.feed(given.data) == SSEDecoder(is_strict=True).feed(WHOLE)
    assert relay.state.done


@given(st.integers(0, len(WHOLE) - 2))
def test_a_stream_that_ends_early_tells_how_to_number_its_end(end):
    relay, given = relayed(WHOLE[:end])
    told = [
        json.loads(line[6:])["sequence_number"]
        for line in given.data.split(b"\n")
        if line.startswith(b"data: ")
    ]
    assert number_behind(relay.recent) == (told[-1] + 1 if told else 0)
    assert relay.state.done is (told[-1:] == [5])


TEXTS = st.text(max_size=8)

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, JSONS), st.sampled_from([None, (",", ":")]))
def test_unknown_fields_survive_byte_for_byte(fields, separators):
    body = {"input": "hi", **fields, "model": "house"}
    raw = json.dumps(body, separators=separators, ensure_ascii=False).encode()
    try:
        body = decode(raw)
    except JSONError:
        return
    body["model"] = "house"
    route = Route("house", "gpt", host="api.openai.com")
    rendered = render_request(Received(body, raw, {}), route)
    start, found, end = raw.rpartition(b'"house"')
    assert found
    assert rendered.raw == start + b'"gpt"' + end


@pytest.mark.parametrize("bad", [b'{"error":{"message":"no"}}', b"<html>", b""])
def test_what_is_no_stream_is_an_error(bad):
    relay, given = relayed(bad)
    assert not given.data
    assert relay.state.error is not None

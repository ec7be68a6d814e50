"""What is heard in a stream by its bytes is what decoding tells, read for read."""

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls.redaction import events
from gateway.calls.redaction.hearing import Hearing
from gateway.hub.answers.event_relay import EventRelay
from gateway.hub.answers.names import Names
from gateway.hub.answers.plain.alike import Alike
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.openai.responses.tap import ResponseTap

TEXTS = st.text(max_size=6) | st.sampled_from(
    ['"', "\\", '","text":"', "\n", "}}\n\n", '"delta": "x"', "\x7f"]
)
MESSAGE = "content_block_delta"
RESPONSE = "response.output_text.delta"


def message(field, text, index=0, **more):
    delta = {"type": f"{field}_delta", field: text}
    return {"type": MESSAGE, "index": index, "delta": delta, **more}


def response(text, index=0, **more):
    place = {"item_id": "msg_1", "output_index": index, "content_index": 0}
    return {"type": RESPONSE, **place, "delta": text, **more}


def numbered(body, number, is_last):
    if is_last:
        return {**body, "sequence_number": number}
    kind = {"type": body["type"], "sequence_number": number}
    return kind | {name: body[name] for name in body if name != "type"}


INDEXES = st.sampled_from([0, 0, 0, 1])
FIELDS = st.sampled_from(["text", "text", "text", "thinking", "partial_json"])
MESSAGES = st.builds(message, FIELDS, TEXTS, INDEXES)
PADDED = st.text("ab", max_size=3).map(lambda text: {"obfuscation": text})
RESPONSES = st.builds(
    lambda text, index, padding, later: response(text, index, **padding, **later),
    TEXTS,
    INDEXES,
    PADDED | st.just({}),
    st.sampled_from([{}, {}, {"logprobs": []}, {"x": {"text": "y"}}]),
)
OTHERS = st.sampled_from(
    [
        {"type": "ping"},
        {"type": "content_block_start", "content_block": {"text": "a"}},
        {"type": "response.later", "text": "b"},
    ]
)


def framed(body, compact, escaped, blanks=""):
    separators = (",", ":") if compact else None
    data = json.dumps(body, separators=separators, ensure_ascii=escaped)
    return f"event: {body['type']}\ndata: {data[:-1]}{blanks}}}\n\n"


@st.composite
def streams(draw):
    """The events of a stream, most of which are alike."""
    compact, escaped, is_last = (draw(st.booleans()) for _ in range(3))
    found, number = [], draw(st.sampled_from([0, 1020]))
    kinds = draw(st.sampled_from([MESSAGES, RESPONSES]))
    bodies = st.one_of(kinds, kinds, kinds, OTHERS)
    for body in draw(st.lists(bodies | st.just(draw(bodies)), max_size=12)):
        blanks = draw(st.sampled_from(["", "", "  "]))
        if body["type"].startswith("response."):
            body = numbered(body, number, is_last)
            number += draw(st.sampled_from([1, 1, 1, 2]))
        found.append(framed(body, compact, escaped, blanks).encode())
    return found


@settings(max_examples=300)
@given(streams(), st.lists(st.integers(0, 12), max_size=4))
def test_what_is_heard_is_what_is_said(found, places):
    hearing = Hearing()
    edges = sorted({0, len(found), *(place % (len(found) + 1) for place in places)})
    for start, end in pairwise(edges):
        read = b"".join(found[start:end])
        assert hearing.said(read) == events.said(read)


def not_empty(said):
    return {name: text for name, text in said.items() if text}


@settings(max_examples=300)
@given(streams(), st.lists(st.integers(0, 2000), max_size=6))
def test_what_a_relay_says_is_what_is_said(found, places):
    raw = b"".join(found)
    tap = ResponseTap if b"event: response." in raw else Tap
    relay = EventRelay(tap(Names("m", "m")))
    for start, end in pairwise(sorted({0, len(raw), *places})):
        relayed = relay.feed(raw[start:end])
        if relayed.said is not None:
            assert not_empty(relayed.said) == not_empty(events.said(relayed.data))


def test_how_events_look_is_learnt_anew():
    """What comes behind a first event that has more to it is read by its bytes, too."""
    relay = EventRelay(ResponseTap(Names("m", "m")))
    bodies = [
        response("a", x={"text": "y"}),
        response("b", x={}),
        response("c"),
        *(response("d") for _ in range(3)),
    ]
    reads = [framed(numbered(b, n, True), True, True) for n, b in enumerate(bodies)]
    said = [relay.feed(read.encode()).said for read in reads]
    assert said[0] is None
    assert [next(iter(each.values())) for each in said[1:]] == list("bcddd")


def test_events_of_which_none_is_alike_come_to_an_end():
    relay = EventRelay(Tap(Names("m", "m")))
    relay.feed(framed(message("text", "a"), True, True).encode())
    odd = [{"type": MESSAGE, "index": 0, "delta": {"n": 1}}, message("thinking", "b")]
    raw = "".join(framed(each, True, True) for each in odd * 3).encode()
    assert relay.feed(raw).data == raw


def test_alike_events_are_not_decoded():
    for body in (message("text", "one"), response("one", logprobs=[])):
        first = framed(numbered(body, 9, False), True, True).encode()
        ((name, _, key),) = events.strings_of(first)
        alike = Alike.like(first, name, key.encode())
        texts = ["a", '"\n', "", "é"]
        made = [
            first.replace(b"one", json.dumps(text)[1:-1].encode()).replace(
                b'number":9', b'number":%d' % (9 + place)
            )
            for place, text in enumerate(texts)
        ]
        (said,) = alike.said(b"".join(made)).values()
        assert said == "".join(texts)

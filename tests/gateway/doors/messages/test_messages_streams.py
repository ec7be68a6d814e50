"""A streamed answer comes to the same message however its pieces come."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.doors import messages
from gateway.doors.protocol import Asked
from gateway.errors import upstream_error
from gateway.hub.errors.upstream_errors import truncated
from tests.grammar.messages import checked, events_in, message_in

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ASKED = Asked("m", True, BODY)

texts = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(str.strip)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=5,
)
arguments = st.dictionaries(texts, values, max_size=3)


def chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "choices": [choice]}


def cut(draw, text):
    """Return `text` in pieces; some of them may be empty."""
    places = draw(st.lists(st.integers(0, len(text)), max_size=4))
    ends = [*sorted(places), len(text)]
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def mixed(draw, sequences):
    """Return the members of all sequences, each in its own order."""
    waiting = [list(each) for each in sequences]
    while any(waiting):
        open_ones = [each for each in waiting if each]
        yield draw(st.sampled_from(open_ones)).pop(0)


def pieces_of(draw, index, call):
    """Return the deltas of a call: its head, and its arguments in pieces."""
    text = json.dumps(call, ensure_ascii=draw(st.booleans()))
    head = {"index": index, "id": f"c{index}", "type": "function"}
    first, *rest = cut(draw, text)
    yield {"tool_calls": [{**head, "function": {"name": "f", "arguments": first}}]}
    for piece in rest:
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


@st.composite
def streams(draw):
    """Return chunks, and the content that they come to."""
    thought, said = draw(st.text(max_size=8)), draw(texts)
    calls = draw(st.lists(arguments, max_size=4))
    deltas = [{"reasoning_content": piece} for piece in cut(draw, thought)]
    deltas += [{"content": piece} for piece in cut(draw, said)]
    told = list(mixed(draw, [pieces_of(draw, i, call) for i, call in enumerate(calls)]))
    order = [d["tool_calls"][0]["id"] for d in told if "id" in d["tool_calls"][0]]
    content = [{"type": "thinking", "thinking": thought, "signature": ""}]
    content = content if thought else []
    content.append({"type": "text", "text": said})
    content += [
        {"type": "tool_use", "id": id, "name": "f", "input": calls[int(id[1:])]}
        for id in order
    ]
    end = chunk({}, "tool_calls" if calls else "stop")
    return [chunk(delta) for delta in deltas + told] + [end], content


@given(streams(), st.data())
def test_a_message_is_the_same_however_its_pieces_come(stream, data):
    chunks, content = stream
    renderer = messages.stream_renderer(ASKED)
    raw, place = b"", 0
    while place < len(chunks):
        size = data.draw(st.integers(1, len(chunks) - place))
        raw += renderer.render(chunks[place : place + size])
        place += size
    assert message_in(raw + renderer.end())["content"] == content


@given(streams(), st.data())
def test_a_stream_may_fail_anywhere(stream, data):
    chunks, _ = stream
    renderer = messages.stream_renderer(ASKED)
    told = renderer.render(chunks[: data.draw(st.integers(0, len(chunks)))])
    events = checked(told + renderer.fail(truncated()))
    assert events[-1]["type"] == "error"


def test_signs_of_life_are_events_and_may_come_first():
    renderer = messages.stream_renderer(ASKED)
    ping = renderer.keep_alive(15.0)
    assert ping == b'event: ping\ndata: {"type":"ping"}\n\n'
    said = renderer.render([chunk({"content": "hi"}, "stop")])
    assert message_in(ping + said + ping + renderer.end())["content"]


def test_a_failure_is_told_by_its_type_and_the_id_of_the_request():
    error = upstream_error(503, "overloaded", "Try later.")
    (event,) = events_in(messages.stream_renderer(ASKED).fail(error))
    assert event["error"] == {"type": "overloaded_error", "message": "Try later."}


def test_the_first_count_is_an_estimate_of_the_prompt():
    long = Asked("m", True, {**BODY, "system": "word " * 700})
    (start, *_) = events_in(messages.stream_renderer(long).render([chunk({})]))
    assert 1000 <= start["message"]["usage"]["input_tokens"] <= 1100

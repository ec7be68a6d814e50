"""Whatever a server says, in whatever pieces: the events keep the grammar."""

import json
from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.doors import responses
from gateway.doors.protocol import NOTHING_SENT
from gateway.doors.responses import reasoning
from gateway.doors.responses.custom_input import CustomInput, custom_input
from gateway.errors import upstream_error
from gateway.hub.protocol import Route
from tests.gateway.doors.responses.test_response_cases import streamed
from tests.grammar import responses as grammar

TOOLS = [
    {"type": "function", "name": "f", "parameters": {}},
    {"type": "custom", "name": "c"},
    {
        "type": "namespace",
        "name": "n",
        "description": "",
        "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}],
    },
    {"type": "shell"},
    {"type": "apply_patch"},
    {"type": "local_shell"},
]
NAMES = ["f", "c", "n__f", "n__c", "shell", "apply_patch", "local_shell", "made_up"]

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.dictionaries(
    st.sampled_from(["input", "patch", "commands"]), texts, max_size=2
)


@st.composite
def cut(draw, text):
    """Pieces of a text, cut anywhere."""
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    edges = [0, *places, len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


def dumped(draw, value):
    """JSON text, its characters escaped or not."""
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


@st.composite
def calls(draw):
    """The deltas of up to three calls, interleaved or one after the other."""
    queues = []
    for index in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(NAMES))
        arguments = dumped(draw, draw(values))
        if draw(st.booleans()):
            arguments = arguments[: draw(st.integers(0, len(arguments)))]
        head = {"index": index, "id": f"call_{index}", "type": "function"}
        first = {**head, "function": {"name": name, "arguments": ""}}
        rest = [
            {"index": index, "function": {"arguments": piece}}
            for piece in draw(cut(arguments))
        ]
        queues.append([first, *rest])
    deltas = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        deltas.append({"tool_calls": [queue.pop(0)]})
    return deltas


@st.composite
def blocks(draw):
    """A thinking block: told in the open first, or not at all."""
    text = draw(st.text(max_size=5))
    block = {"type": "thinking", "thinking": text, "signature": "s", "index": 0}
    told = [{"reasoning_content": text}] if text and draw(st.booleans()) else []
    return [*told, {"thinking_blocks": [block]}]


said = st.one_of(
    texts.map(lambda text: [{"content": text}]),
    texts.map(lambda text: [{"reasoning_content": text}]),
    texts.map(lambda text: [{"refusal": text}]),
    blocks(),
    st.just([{"role": "assistant", "content": ""}]),
)


@st.composite
def answers(draw):
    """The deltas of a whole answer: things said, calls among them, the end."""
    before = draw(st.lists(said, max_size=5))
    after = draw(st.lists(said, max_size=2))
    called = draw(st.one_of(st.just([]), calls()))
    return [*chain(*before), *called, *chain(*after)]


def asked():
    body = {"model": "m", "input": "hi", "tools": TOOLS, "stream": True}
    question = responses.parse_request(body, NOTHING_SENT)
    responses.hub_request(
        question, Route("m", "m", completion_id="chatcmpl-" + "x" * 29)
    )
    return question


@given(answers(), st.sampled_from(["stop", "length", "content_filter", "tool_calls"]))
def test_any_answer_is_told_by_the_grammar(deltas, reason):
    content = "".join(delta.get("content") or "" for delta in deltas)
    arguments: dict[int, str] = {}
    for delta in deltas:
        for call in delta.get("tool_calls", ()):
            told = call["function"]["arguments"]
            arguments[call["index"]] = arguments.get(call["index"], "") + told
    events = grammar.check(streamed(asked(), [*deltas, {"finish_reason": reason}]))
    output = events[-1]["response"]["output"]
    parts = [
        part
        for item in output
        if item["type"] == "message"
        for part in item["content"]
        if part["type"] == "output_text"
    ]
    assert "".join(part["text"] for part in parts) == content
    called = [item for item in output if "call_id" in item]
    assert [item["call_id"] for item in called] == [f"call_{i}" for i in arguments]
    for item, whole in zip(called, arguments.values(), strict=True):
        if item["type"] == "function_call":
            assert item["arguments"] == (whole if whole.strip() else "{}")
        elif item["type"] == "custom_tool_call":
            assert item["input"] == custom_input(whole)


@given(answers(), st.data())
def test_an_answer_cut_anywhere_ends_as_a_failure(deltas, data):
    renderer = responses.stream_renderer(asked())
    kept = deltas[: data.draw(st.integers(0, len(deltas)))]
    parts = [renderer.render([{"choices": [{"index": 0, "delta": d}]}]) for d in kept]
    error = upstream_error(502, "upstream_stream_truncated", "It was cut off.")
    events = grammar.check(b"".join([*parts, renderer.fail(error)]))
    assert events[-1]["response"]["error"]["code"] == "server_error"


@given(texts, st.data())
def test_the_text_of_a_custom_call_is_the_same_however_it_is_cut(text, data):
    whole = dumped(data.draw, {"input": text})
    decoder = CustomInput()
    told = [decoder.feed(piece) for piece in data.draw(cut(whole))]
    assert "".join([*told, decoder.close()]) == text
    assert custom_input(whole) == text


@given(texts)
def test_the_text_of_a_custom_call_comes_at_every_border(text):
    for whole in (json.dumps({"input": text}), json.dumps({"input": text}, indent=1)):
        for border in range(len(whole) + 1):
            decoder = CustomInput()
            told = decoder.feed(whole[:border]) + decoder.feed(whole[border:])
            assert told + decoder.close() == text


@given(st.text(max_size=40), st.data())
def test_arguments_of_any_shape_say_the_same_however_they_are_cut(arguments, data):
    decoder = CustomInput()
    told = [decoder.feed(piece) for piece in data.draw(cut(arguments))]
    assert "".join([*told, decoder.close()]) == custom_input(arguments)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("abc=+/", min_size=1))
def test_a_sealed_thought_comes_back_byte_for_byte(text, signature):
    block = {"type": "thinking", "thinking": text, "signature": signature}
    assert reasoning.unpacked(reasoning.blob_of_block(block)) == block
    redacted = {"type": "redacted_thinking", "data": signature}
    assert reasoning.unpacked(reasoning.blob_of_block(redacted)) == redacted
    assert reasoning.unpacked(reasoning.blob_of_text(text)) == {
        "type": "text",
        "text": text,
    }


@given(st.text(max_size=50))
def test_what_others_sealed_is_not_read(blob):
    assert reasoning.unpacked(blob) is None
    assert reasoning.unpacked(f"g1.{blob}.{reasoning._check(blob)}") is None

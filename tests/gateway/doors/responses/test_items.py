"""Conversations of items: what is said once keeps its place, whatever comes after."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from gateway.doors.responses import reasoning
from gateway.doors.responses.request import hub_form
from gateway.hub.protocol import Route
from gateway.hub.requests.validation import validate_request

ROUTE = Route("m", "m")

words = st.text("abc ", min_size=1, max_size=5)
thoughts = st.one_of(
    words.map(reasoning.blob_of_text),
    words.map(
        lambda text: reasoning.blob_of_block(
            {"type": "thinking", "thinking": text, "signature": "s"}
        )
    ),
).map(lambda blob: {"type": "reasoning", "encrypted_content": blob})
spoken = words.map(
    lambda text: {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text}],
    }
)
asked = words.map(lambda text: {"role": "user", "content": text})


@st.composite
def turns(draw):
    """Items of whole turns: a question, then what the assistant did about it."""
    found = []
    for turn in range(draw(st.integers(1, 3))):
        items = [draw(asked)]
        for step in range(draw(st.integers(0, 2))):
            ids = [f"call_{turn}_{step}_{n}" for n in range(draw(st.integers(1, 3)))]
            calls = [_call(draw, id) for id in ids]
            outputs = [_output(call) for call in draw(st.permutations(calls))]
            before = draw(st.lists(st.one_of(thoughts, spoken), max_size=2))
            items += [*before, *calls, *outputs]
        items += draw(st.lists(spoken, max_size=1))
        found.append(items)
    return found


def _call(draw, id):
    if draw(st.booleans()):
        return {"type": "custom_tool_call", "call_id": id, "name": "c", "input": "x"}
    name = {"name": "f", "namespace": draw(st.sampled_from(["", "n"]))}
    return {"type": "function_call", "call_id": id, "arguments": "{}", **name}


def _output(call):
    kind = f"{call['type']}_output"
    return {"type": kind, "call_id": call["call_id"], "output": call["call_id"]}


def messages(items):
    form = hub_form({"model": "m", "input": items}, ROUTE)
    validate_request(form.body)
    return form.body["messages"]


@given(turns())
def test_more_turns_only_add_messages(found):
    whole = messages(list(chain(*found)))
    for count in range(1, len(found) + 1):
        part = messages(list(chain(*found[:count])))
        assert whole[: len(part)] == part


@given(turns())
def test_every_result_stands_behind_its_call(found):
    waiting: set[str] = set()
    for message in messages(list(chain(*found))):
        if message["role"] == "tool":
            assert message["content"] == message["tool_call_id"]
            waiting.remove(message["tool_call_id"])
            continue
        assert not waiting
        waiting = {call["id"] for call in message.get("tool_calls", ())}
    assert not waiting


@given(turns(), st.data())
def test_what_is_said_between_a_call_and_its_output_comes_after(found, data):
    items = list(chain(*found))
    calls = [at for at, item in enumerate(items) if "call" in item.get("type", "")]
    if not calls:
        return
    at = data.draw(st.sampled_from(calls))
    if items[at]["type"].endswith("_output"):
        return
    meanwhile = {"role": "user", "content": "meanwhile"}
    roles = [
        m["role"] for m in messages([*items[: at + 1], meanwhile, *items[at + 1 :]])
    ]
    assert roles.count("user") == len(found) + 1

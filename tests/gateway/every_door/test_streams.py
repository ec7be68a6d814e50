"""What a stream says, and an answer that came whole, is the same at every door."""

import json

import pytest

from tests.doors import MESSAGES, OLLAMA, RESPONSES
from tests.gateway.chunks import DONE, ROLE, STOP, USAGE, event


def call(index, name, arguments):
    function = {"arguments": arguments}
    told = {"index": index, "function": function}
    if name:
        function["name"] = name
        told |= {"id": f"call_{name}", "type": "function"}
    return {"delta": {"tool_calls": [told]}}


def test_calls_that_take_turns_are_told_each_as_its_own(
    provider, upstream, gateway, streaming_door
):
    provider()
    pieces = [
        call(0, "look", ""),
        call(1, "find", ""),
        call(0, "", '{"at"'),
        call(1, "", '{"what": "'),
        call(0, "", ": 1}"),
        call(1, "", 'it"}'),
    ]
    end = event({"delta": {}, "finish_reason": "tool_calls"})
    upstream(stream=[ROLE, *map(event, pieces), end, USAGE, DONE])
    answer = streaming_door.ask(gateway(), stream=True)
    calls = (("look", {"at": 1}), ("find", {"what": "it"}))
    assert streaming_door.said_in(answer.content) == ("", calls, "")


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_what_was_thought_is_told_by_either_name(
    provider, upstream, gateway, streaming_door, name
):
    provider()
    said = json.dumps(streaming_door.upstream)
    whole = said.replace('"refusal": null', f'"{name}": "I think"')
    upstream(json=json.loads(whole))
    answer = streaming_door.ask(gateway())
    streaming_door.check_answered(answer)
    assert "I think" in answer.text
    delta = {"delta": {"content": "hello", name: "I think"}}
    upstream(stream=[ROLE, event(delta), STOP, DONE])
    answer = streaming_door.ask(gateway(), stream=True)
    assert streaming_door.said_in(answer.content).text == "hello"
    assert "I think" in answer.text


@pytest.mark.parametrize("choices", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    "door", [RESPONSES, MESSAGES, OLLAMA], ids=lambda door: door.name
)
def test_where_one_choice_is_told_it_is_the_first(
    provider, upstream, gateway, door, choices
):
    provider()
    told = [{"index": n, "delta": {"content": f"I am {n}."}} for n in choices]
    ends = [{"index": n, "delta": {}, "finish_reason": "stop"} for n in choices]
    upstream(stream=[*map(event, told), *map(event, ends), DONE])
    answer = door.ask(gateway(), stream=True)
    assert door.said_in(answer.content) == ("I am 0.", (), "")


def test_another_vendors_tier_is_no_tier_of_a_response(provider, upstream, gateway):
    provider()
    upstream(json={**RESPONSES.upstream, "service_tier": "on_demand"})
    assert RESPONSES.ask(gateway()).json()["service_tier"] == "default"
    end = {"delta": {"content": "x"}, "finish_reason": "stop"}
    upstream(stream=[event(end, service_tier="on_demand"), DONE])
    answer = RESPONSES.ask(gateway(), stream=True)
    assert RESPONSES.said_in(answer.content).text == "x"
    assert "on_demand" not in answer.text

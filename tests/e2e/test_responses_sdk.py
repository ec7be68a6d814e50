"""OpenAI's SDK at the Responses API, with every kind of provider behind it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types.responses import ResponseStreamEvent

from tests.e2e import dialects, registries, sdks
from tests.e2e.processes import PATIENCE, PLAIN, Server
from tests.e2e.replay import Replay
from tests.e2e.sdks import DEGREES, MODELS, PLACE, QUESTION, Forecast
from tests.grammar import responses as grammar

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Tell the weather of a city",
    "parameters": {**PLACE, "additionalProperties": False},
    "strict": False,
}
IN_A_NAMESPACE: Any = {
    "type": "namespace",
    "name": "skies",
    "description": "All about the sky.",
    "tools": [{**WEATHER, "strict": None}],
}

each_provider = sdks.each(MODELS)


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with one provider of each kind, and one whose streams break off."""
    dialects.install(replay)
    replay.offer(MODELS.values())
    url = replay.url
    return server(
        registries.registry(
            *sdks.providers(url, MODELS),
            sdks.breaking(replay),
        )
    )


@pytest.fixture(scope="module")
def key(gateway: Server) -> str:
    """An agent's key."""
    return gateway.key("responses-agent")


@pytest.fixture
def client(gateway: Server, key: str) -> Iterator[openai.OpenAI]:
    """The SDK as an agent sets it up."""
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=key, max_retries=0
    ) as made:
        yield made


def results(output: list[Any]) -> list[Any]:
    """Return the conversation so far, as agents keep it: items as they came."""
    found: list[Any] = [QUESTION, *(item.model_dump() for item in output)]
    for call in output:
        if call.type == "function_call":
            city = json.loads(call.arguments)["city"]
            answer = {"type": "function_call_output", "call_id": call.call_id}
            found.append({**answer, "output": DEGREES[city]})
    return found


@each_provider
def test_an_answer_says_what_was_asked_of_the_model(client, model):
    answer = client.responses.create(model=model, input=[QUESTION])
    assert answer.output_text == "You said: What is the weather?"
    assert (answer.status, answer.model) == ("completed", model)
    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)


@each_provider
def test_a_stream_says_the_same_piece_by_piece(client, model):
    events = list(client.responses.create(model=model, input=[QUESTION], stream=True))
    said = [e.delta for e in events if e.type == "response.output_text.delta"]
    assert len(said) >= 2
    assert "".join(said) == "You said: What is the weather?"
    assert events[-1].type == "response.completed"
    assert events[-1].response.usage.total_tokens == 18


@each_provider
def test_a_stream_keeps_the_grammar(gateway, key, model):
    body = {"model": model, "input": [QUESTION], "tools": [WEATHER], "stream": True}
    headers = {"authorization": f"Bearer {key}"}
    url = f"{gateway.url}/v1/responses"
    answer = httpx.post(url, json=body, headers=headers, timeout=PATIENCE, **PLAIN)
    events = grammar.check(answer.text)
    kinds = [item["type"] for item in events[-1]["response"]["output"]]
    assert kinds == ["function_call", "function_call"]


@each_provider
@pytest.mark.parametrize("tool", [WEATHER, IN_A_NAMESPACE], ids=["flat", "namespace"])
def test_a_conversation_with_two_tools_at_once(client, model, tool):
    first = client.responses.create(model=model, input=[QUESTION], tools=[tool])
    calls = [item for item in first.output if item.type == "function_call"]
    if tool is IN_A_NAMESPACE:
        # The model of tests calls what it knows, by the bare name.
        assert [call.name for call in calls] == ["get_weather"] * 2
    assert len({call.call_id for call in calls}) == 2
    second = client.responses.create(
        model=model, input=results(first.output), tools=[tool]
    )
    assert second.output_text == "Paris: 18 degrees. Rome: 24 degrees."


@each_provider
def test_the_same_conversation_through_the_stream_helper(client, model):
    with client.responses.stream(
        model=model, input=[QUESTION], tools=[WEATHER]
    ) as stream:
        done = [
            event
            for event in stream
            if event.type == "response.function_call_arguments.done"
        ]
        first = stream.get_final_response()
    assert [json.loads(event.arguments)["city"] for event in done] == ["Paris", "Rome"]
    with client.responses.stream(
        model=model, input=results(first.output), tools=[WEATHER]
    ) as stream:
        second = stream.get_final_response()
    assert second.output_text == "Paris: 18 degrees. Rome: 24 degrees."


@each_provider
def test_structured_output_is_parsed(client, model):
    answer = client.responses.parse(
        model=model, input="structured, please", text_format=Forecast
    )
    assert answer.output_parsed == Forecast(city="Paris", degrees=18)


@each_provider
def test_structured_output_is_parsed_from_a_stream(client, model):
    with client.responses.stream(
        model=model, input="structured, please", text_format=Forecast
    ) as stream:
        answer = stream.get_final_response()
    assert answer.output_parsed == Forecast(city="Paris", degrees=18)


def test_a_stream_that_breaks_off_is_an_error_to_the_sdk(client):
    stream = client.responses.create(model="breaking", input="hi", stream=True)
    seen: list[ResponseStreamEvent] = []
    with pytest.raises(openai.APIError, match="stream"):
        seen.extend(stream)
    assert not [event for event in seen if event.type == "response.completed"]


def test_errors_are_those_of_the_sdk(client):
    with pytest.raises(openai.NotFoundError) as unknown:
        client.responses.create(model="nobody", input="hi")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(
            model="gpt-4o-mini", input="hi", previous_response_id="resp_1"
        )
    assert refused.value.param == "previous_response_id"
    with pytest.raises(openai.NotFoundError) as kept:
        client.responses.retrieve("resp_1")
    assert kept.value.param == "response_id"

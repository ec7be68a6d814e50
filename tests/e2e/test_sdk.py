"""OpenAI's own SDK against the gateway, with every kind of provider behind it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from tests.e2e import dialects, registries, sdks
from tests.e2e.processes import Server
from tests.e2e.replay import Replay, json_reply
from tests.e2e.sdks import DEGREES, MODELS, PLACE, QUESTION, Forecast

TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tell the weather of a city",
            "parameters": {**PLACE, "additionalProperties": False},
        },
    }
]

each_provider = sdks.each(MODELS)


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with one provider of each kind, and some that fail."""
    dialects.install(replay)
    replay.offer(MODELS.values())
    busy = {"error": {"message": "Slow down.", "type": "requests", "code": "rate"}}
    replay.route("/busy", json_reply(busy, 429, retry_after="7"))
    wrong = {"message": "Too hot.", "type": "invalid_request_error"}
    wrong |= {"param": "temperature", "code": "too_hot"}
    replay.route("/strict", json_reply({"error": wrong}, 400))
    url = replay.url
    made = server(
        registries.registry(
            *sdks.providers(url, MODELS),
            registries.openai("busy", f"{url}/busy", "busy"),
            registries.openai("strict", f"{url}/strict", "strict"),
            sdks.breaking(replay),
            registries.openai("limited", url, "limited", requests_per_minute=1),
        )
    )
    return made


@pytest.fixture(scope="module")
def key(gateway: Server) -> str:
    """An agent's key."""
    return gateway.key("sdk-agent")


@pytest.fixture
def client(gateway: Server, key: str) -> Iterator[openai.OpenAI]:
    """The SDK as an agent sets it up."""
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=key, max_retries=0
    ) as made:
        yield made


def async_client(gateway: Server, key: str) -> openai.AsyncOpenAI:
    """Return the SDK for asynchronous agents."""
    return openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)


def results(answer: ChatCompletion) -> list[Any]:
    """Return the conversation so far: the calls, and what the tools found."""
    message = answer.choices[0].message
    found: list[Any] = [QUESTION, message.model_dump(exclude_none=True)]
    for call in message.tool_calls or ():
        assert call.type == "function"
        city = json.loads(call.function.arguments)["city"]
        found.append(
            {"role": "tool", "tool_call_id": call.id, "content": DEGREES[city]}
        )
    return found


@each_provider
def test_an_answer_says_what_was_asked_of_the_model(client, model):
    answer = client.chat.completions.create(model=model, messages=[QUESTION])
    assert answer.choices[0].message.content == "You said: What is the weather?"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == model
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 7)


@each_provider
def test_a_stream_says_the_same_piece_by_piece(client, model):
    stream = client.chat.completions.create(
        model=model,
        messages=[QUESTION],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    said = [c.choices[0].delta.content for c in chunks if c.choices]
    assert len([piece for piece in said if piece]) >= 2
    assert "".join(piece or "" for piece in said) == "You said: What is the weather?"
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens == 18


@each_provider
def test_a_conversation_with_two_tools_at_once(client, model):
    first = client.chat.completions.create(
        model=model, messages=[QUESTION], tools=TOOLS
    )
    assert first.choices[0].finish_reason == "tool_calls"
    assert len({call.id for call in first.choices[0].message.tool_calls}) == 2
    second = client.chat.completions.create(
        model=model, messages=results(first), tools=TOOLS
    )
    said = second.choices[0].message.content
    assert said == "Paris: 18 degrees. Rome: 24 degrees."


@each_provider
def test_the_same_conversation_through_the_stream_helper(client, model):
    with client.chat.completions.stream(
        model=model, messages=[QUESTION], tools=TOOLS
    ) as stream:
        done = [e for e in stream if e.type == "tool_calls.function.arguments.done"]
        first = stream.get_final_completion()
    assert [json.loads(e.arguments)["city"] for e in done] == ["Paris", "Rome"]
    with client.chat.completions.stream(
        model=model, messages=results(first), tools=TOOLS
    ) as stream:
        second = stream.get_final_completion()
    said = second.choices[0].message.content
    assert said == "Paris: 18 degrees. Rome: 24 degrees."


@each_provider
def test_structured_output_is_parsed(client, model):
    answer = client.chat.completions.parse(
        model=model,
        messages=[{"role": "user", "content": "structured, please"}],
        response_format=Forecast,
    )
    assert answer.choices[0].message.parsed == Forecast(city="Paris", degrees=18)
    assert not answer.choices[0].message.tool_calls


@each_provider
def test_structured_output_is_parsed_from_a_stream(client, model):
    with client.chat.completions.stream(
        model=model,
        messages=[{"role": "user", "content": "structured, please"}],
        response_format=Forecast,
    ) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].message.parsed == Forecast(city="Paris", degrees=18)


def test_the_asynchronous_sdk_holds_many_conversations_at_once(gateway, key):
    async def converse(client: openai.AsyncOpenAI, model: str) -> str | None:
        async with client.chat.completions.stream(
            model=model, messages=[QUESTION], tools=TOOLS
        ) as stream:
            first = await stream.get_final_completion()
        second = await client.chat.completions.create(
            model=model, messages=results(first), tools=TOOLS
        )
        return second.choices[0].message.content

    async def all_at_once() -> list[str | None]:
        async with async_client(gateway, key) as client:
            wanted = [converse(client, model) for model in [*MODELS.values()] * 4]
            return await asyncio.gather(*wanted)

    assert set(asyncio.run(all_at_once())) == {"Paris: 18 degrees. Rome: 24 degrees."}


def test_the_models_are_listed(client):
    listed = {model.id for model in client.models.list()}
    assert set(MODELS.values()) <= listed
    assert client.models.retrieve("gpt-4o-mini").owned_by == "openai"


def test_an_unknown_model_raises_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-5-mini-typo", messages=[QUESTION])
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


def test_a_wrong_key_raises_an_authentication_error(gateway, key):
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    with (
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=wrong) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.chat.completions.create(model="gpt-4o-mini", messages=[QUESTION])
    assert caught.value.code == "invalid_api_key"


def test_a_wrong_field_raises_a_bad_request_that_names_it(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="claude-sonnet-4-20250514", messages=[QUESTION], temperature=3
        )
    assert caught.value.param == "temperature"


def test_what_the_upstream_finds_wrong_comes_back_with_its_field(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="strict", messages=[QUESTION])
    assert (caught.value.param, caught.value.code) == ("temperature", "too_hot")
    assert "Too hot." in caught.value.message


def test_the_upstreams_limit_raises_a_rate_limit_error(client):
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="busy", messages=[QUESTION])
    assert caught.value.response.headers["retry-after"] == "7"
    assert "busy" in caught.value.message


def test_our_limit_raises_a_rate_limit_error(client):
    began = time.monotonic()
    client.chat.completions.create(model="limited", messages=[QUESTION])
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="limited", messages=[QUESTION])
    since = time.monotonic() - began
    assert 59 - since <= int(caught.value.response.headers["retry-after"]) <= 60
    assert caught.value.code == "rate_limit_exceeded"


def test_a_failure_in_mid_stream_raises_after_what_was_said(client):
    stream = client.chat.completions.create(
        model="breaking", messages=[QUESTION], stream=True
    )
    said = []
    with pytest.raises(openai.APIError) as caught:
        said.extend(chunk.choices[0].delta.content for chunk in stream)
    assert "Hello" in said
    assert caught.value.code == "upstream_stream_truncated"

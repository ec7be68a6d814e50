"""Anthropic's own SDK against the gateway, with every kind of provider behind it."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from tests.e2e import dialects, registries, sdks
from tests.e2e.processes import Server
from tests.e2e.replay import Replay, json_reply
from tests.e2e.sdks import DEGREES, PLACE, QUESTION, Forecast

MODELS = {**sdks.MODELS, "anthropic": "claude-opus-4-6"}
TOOLS: list[Any] = [
    {
        "name": "get_weather",
        "description": "Tell the weather of a city",
        "input_schema": PLACE,
    }
]
SAID = "You said: What is the weather?"

each_provider = sdks.each(MODELS)


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with one provider of each kind, and some that fail."""
    dialects.install(replay)
    replay.offer(MODELS.values())
    for path, status, code in FAILING:
        told = {"message": "Said.", "type": "some_error", "code": code}
        replay.route(f"/{path}", json_reply({"error": told}, status, retry_after="7"))
    url = replay.url
    failing = [registries.openai(path, f"{url}/{path}", path) for path, *_ in FAILING]
    return server(
        registries.registry(
            *sdks.providers(url, MODELS),
            *failing,
            sdks.breaking(replay),
        )
    )


FAILING = (
    ("wrong", 400, "too_hot"),
    ("busy", 429, "rate_limit_exceeded"),
    ("broke", 429, "insufficient_quota"),
    ("full", 503, "engine_overloaded"),
    ("huge", 413, "too_large"),
    ("locked", 401, "invalid_api_key"),
)


@pytest.fixture(scope="module")
def key(gateway: Server) -> str:
    """An agent's key."""
    return gateway.key("sdk-agent")


@pytest.fixture
def client(gateway: Server, key: str) -> Iterator[anthropic.Anthropic]:
    """The SDK as an agent sets it up."""
    with anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=0) as made:
        yield made


def asked(model: str, *messages: Any, **fields: Any) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": 100,
        "messages": list(messages or [QUESTION]),
        **fields,
    }


def results(message: Any) -> list[Any]:
    """Return the conversation so far: the calls, and what the tools found."""
    found = [
        {
            "type": "tool_result",
            "tool_use_id": block.id,
            "content": DEGREES[block.input["city"]],
        }
        # As they finish, not as they were called.
        for block in reversed(message.content)
        if block.type == "tool_use"
    ]
    said = {"role": "assistant", "content": message.content}
    return [QUESTION, said, {"role": "user", "content": found}]


@each_provider
def test_an_answer_says_what_was_asked_of_the_model(client, model):
    message = client.messages.create(**asked(model))
    assert [block.text for block in message.content] == [SAID]
    assert (message.stop_reason, message.model) == ("end_turn", model)
    assert (message.usage.input_tokens, message.usage.output_tokens) == (11, 7)
    assert message._request_id


@each_provider
def test_a_stream_says_the_same_piece_by_piece(client, model):
    with client.messages.stream(**asked(model)) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(pieces) >= 2
    assert "".join(pieces) == message.content[0].text == SAID
    assert (message.usage.input_tokens, message.usage.output_tokens) == (11, 7)


@each_provider
@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "stream"])
def test_tools_are_called_and_their_results_come_back(client, model, is_streamed):
    def ask(*messages: Any) -> Any:
        fields = asked(model, *messages, tools=TOOLS)
        if not is_streamed:
            return client.messages.create(**fields)
        with client.messages.stream(**fields) as stream:
            return stream.get_final_message()

    calling = ask()
    assert calling.stop_reason == "tool_use"
    calls = [block for block in calling.content if block.type == "tool_use"]
    assert [call.input for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    told = ask(*results(calling))
    assert told.content[0].text == "Paris: 18 degrees. Rome: 24 degrees."


@pytest.mark.parametrize("model", [MODELS["openai"], MODELS["ollama"]])
def test_an_answer_may_be_held_to_a_schema(client, model):
    question = {"role": "user", "content": "a structured answer"}
    message = client.messages.parse(**asked(model, question, output_format=Forecast))
    assert message.parsed_output == Forecast(city="Paris", degrees=18)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("wrong", anthropic.BadRequestError),
        ("busy", anthropic.RateLimitError),
        ("broke", anthropic.APIStatusError),
        ("full", anthropic.InternalServerError),
        ("huge", anthropic.APIStatusError),
        ("locked", anthropic.InternalServerError),
        ("nobody", anthropic.NotFoundError),
    ],
)
def test_a_failure_is_of_the_class_that_the_sdk_has_for_it(client, model, expected):
    with pytest.raises(expected) as failed:
        client.messages.create(**asked(model))
    error = failed.value
    assert isinstance(error, anthropic.APIStatusError)
    assert error.request_id
    assert error.body["request_id"] == error.request_id
    statuses = {"broke": 402, "full": 529, "huge": 413, "locked": 502}
    assert error.status_code == statuses.get(model, error.status_code)


def test_a_wrong_key_is_an_authentication_error(gateway):
    with (
        anthropic.Anthropic(
            base_url=gateway.url, api_key="sk-ant-nobody", max_retries=0
        ) as stranger,
        pytest.raises(anthropic.AuthenticationError),
    ):
        stranger.messages.create(**asked("gpt-4o-mini"))


def test_a_stream_that_breaks_off_raises(client):
    with (
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(**asked("breaking")) as stream,
    ):
        stream.get_final_message()


def test_models_are_listed_and_tokens_counted(client):
    listed = [model.id for model in client.models.list(limit=3)]
    assert set(MODELS.values()) <= set(listed)
    assert client.models.retrieve("gpt-4o-mini").display_name == "gpt-4o-mini"
    counted = client.messages.count_tokens(model="gpt-4o-mini", messages=[QUESTION])
    assert counted.input_tokens > 5


def test_an_asynchronous_agent_is_answered(gateway, key):
    async def ask() -> Any:
        async with anthropic.AsyncAnthropic(
            base_url=f"{gateway.url}/v1/p/openai", api_key=key, max_retries=0
        ) as client:
            return await client.messages.create(**asked("gpt-4o-mini"))

    assert asyncio.run(ask()).content[0].text == SAID

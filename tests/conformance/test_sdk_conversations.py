"""OpenAI's own SDK has recorded conversations again, in each way it can be used."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import BaseModel, create_model

from tests.conformance.conftest import Gateway, those
from tests.recordings import conversations
from tests.recordings.conversations import Conversation
from tests.recordings.told import told_in
from tests.recordings.traffic import ABSENT, JSON

pytestmark = pytest.mark.slow

TYPES: dict[str, Any] = {"string": str, "integer": int, "array": list[str]}


@pytest.fixture
def client(recorded: Gateway) -> Iterator[openai.OpenAI]:
    """The SDK as an agent sets it up."""
    with openai.OpenAI(base_url=recorded.base_url, api_key=recorded.key) as made:
        yield made


def asked(conversation: Conversation) -> dict[str, Any]:
    """Return what an agent asks first."""
    question = {"role": "user", "content": conversation.question}
    first: dict[str, Any] = {"model": conversation.model, "messages": [question]}
    if conversation.tools:
        first["tools"] = conversation.tools
    return first


def with_results(conversation: Conversation, first: ChatCompletion) -> dict[str, Any]:
    """Return what it asks once the tools that `first` calls were run."""
    message = first.choices[0].message
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": result}
        for call, result in zip(
            message.tool_calls or (), conversation.results, strict=True
        )
    ]
    again = asked(conversation)
    said = message.model_dump(exclude_none=True)
    return {**again, "messages": [*again["messages"], said, *results]}


def told(answer: ChatCompletion) -> Any:
    return told_in(answer.model_dump(exclude_none=True))


def ask(client: openai.OpenAI, body: dict[str, Any], *, streams: bool) -> Any:
    """Return an answer; a stream is read with the SDK's helper."""
    if not streams:
        return client.chat.completions.create(**body)
    options = {"include_usage": True}
    with client.chat.completions.stream(**body, stream_options=options) as stream:
        return stream.get_final_completion()


@pytest.mark.parametrize("conversation", those(conversations.with_tools()))
def test_a_conversation_with_tools(client, conversation):
    streams = conversation.streams
    first = ask(client, asked(conversation), streams=streams)
    second = ask(client, with_results(conversation, first), streams=streams)
    assert [told(first), told(second)] == conversation.told


@pytest.mark.parametrize("conversation", those(conversations.streams()))
def test_a_stream(client, conversation):
    chunks = list(client.chat.completions.create(**asked(conversation), stream=True))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    (said,) = conversation.told
    assert "".join(choice.delta.content or "" for choice in choices) == said.text
    assert len(choices) > 2
    assert choices[-1].finish_reason == said.finish


def form_of(schema: JSON) -> type[BaseModel]:
    """Return the class of which a recorded schema could be that."""
    fields: dict[str, Any] = {
        name: (TYPES[each["type"]], ...) for name, each in schema["properties"].items()
    }
    return create_model("Answer", **fields)


@pytest.mark.parametrize(
    "conversation", those([c for c in conversations.structured() if c.schema])
)
def test_a_structured_answer_is_parsed(client, conversation):
    form = form_of(conversation.schema)
    body = {**asked(conversation), "response_format": form}
    if conversation.streams:
        answer = ask(client, body, streams=True)
    else:
        answer = client.chat.completions.parse(**body)
    (said,) = conversation.told
    assert answer.choices[0].message.parsed == form(**json.loads(said.text))


async def ask_async(
    client: openai.AsyncOpenAI, body: dict[str, Any], *, streams: bool
) -> ChatCompletion:
    if not streams:
        whole: ChatCompletion = await client.chat.completions.create(**body)
        return whole
    options: Any = {"include_usage": True}
    helper = client.chat.completions.stream(**body, stream_options=options)
    async with helper as stream:
        return await stream.get_final_completion()


@pytest.mark.skipif(not conversations.with_tools(), reason=ABSENT)
def test_the_asynchronous_sdk_has_all_of_them_at_once(recorded):
    async def again(client: openai.AsyncOpenAI, had: Conversation) -> list[Any]:
        first = await ask_async(client, asked(had), streams=had.streams)
        body = with_results(had, first)
        second = await ask_async(client, body, streams=had.streams)
        return [told(first), told(second)]

    async def all_at_once() -> list[list[Any]]:
        async with openai.AsyncOpenAI(
            base_url=recorded.base_url, api_key=recorded.key
        ) as client:
            had = [again(client, each) for each in conversations.with_tools()]
            return await asyncio.gather(*had)

    expected = [each.told for each in conversations.with_tools()]
    assert asyncio.run(all_at_once()) == expected

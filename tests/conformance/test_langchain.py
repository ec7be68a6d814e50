"""LangChain's `ChatOpenAI` against the gateway, as it comes.

It has recorded conversations again, with the tools and the results of the recording.
Answers are scripted where nothing was recorded: OpenAI's own are passed on as they are,
nobody recorded a structured answer over InvokeModel, or Ollama's tools in a stream.
So are those of many calls at once, which must be told apart by what they say.
"""

import asyncio
import json
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.conformance.conftest import SPOKEN, Gateway, those
from tests.recordings import conversations

pytestmark = pytest.mark.slow

UNRECORDED = {
    "streamed tools": ["openai", "ollama"],
    "structured": ["openai", "claude"],
}
"""Where an answer is scripted because there is no recording; see above."""


def scripted(what: str) -> pytest.MarkDecorator:
    """Return the parameters of a test for which nothing was recorded."""
    names = UNRECORDED[what]
    return pytest.mark.parametrize("model", [SPOKEN[n] for n in names], ids=names)


QUESTION = "What is the weather?"
ANSWER = "Paris: 18 degrees. Rome: 24 degrees."


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    degrees: int


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return {"Paris": "18 degrees", "Rome": "24 degrees"}[city]


def chat(gateway: Gateway, model: str, **options: Any) -> ChatOpenAI:
    """Return the model as LangChain's users make it."""
    return ChatOpenAI(
        model=model, base_url=gateway.base_url, api_key=gateway.key, **options
    )


def with_results(answer: Any) -> list[BaseMessage]:
    """Return the conversation after the tools that `answer` calls were run."""
    results = [get_weather.invoke(call) for call in answer.tool_calls]
    assert all(isinstance(result, ToolMessage) for result in results)
    return [HumanMessage(QUESTION), answer, *results]


def ask(model: Runnable[Any, Any], question: Any, *, streams: bool) -> Any:
    """Return an answer, put together from its pieces where it is streamed."""
    return reduce(add, model.stream(question)) if streams else model.invoke(question)


@pytest.mark.parametrize("conversation", those(conversations.with_tools()))
def test_a_recorded_conversation_with_tools(recorded, conversation):
    bound = chat(recorded, conversation.model).bind_tools(conversation.tools)
    question = HumanMessage(conversation.question)
    first = ask(bound, [question], streams=conversation.streams)
    asked, said = conversation.told
    assert [(call["name"], call["args"]) for call in first.tool_calls] == asked.calls
    assert first.text == asked.text
    results = [
        ToolMessage(result, tool_call_id=call["id"])
        for call, result in zip(first.tool_calls, conversation.results, strict=True)
    ]
    second = ask(bound, [question, first, *results], streams=conversation.streams)
    assert second.text == said.text
    assert second.response_metadata["finish_reason"] == said.finish


@pytest.mark.parametrize("conversation", those(conversations.streams()))
def test_a_recorded_stream(recorded, conversation):
    model = chat(recorded, conversation.model, stream_usage=True)
    pieces = list(model.stream(conversation.question))
    whole = reduce(add, pieces)
    (said,) = conversation.told
    assert len([piece for piece in pieces if piece.content]) >= 2
    assert whole.text == said.text
    usage = whole.usage_metadata
    assert (usage["input_tokens"], usage["output_tokens"]) == said.usage


@pytest.mark.parametrize("conversation", those(conversations.structured()))
def test_a_recorded_structured_answer(recorded, conversation):
    schema = {"title": "Answer", "description": "An answer.", **conversation.schema}
    method = "json_schema" if conversation.schema else "json_mode"
    model = chat(recorded, conversation.model, streaming=conversation.streams)
    structured = model.with_structured_output(schema, method=method)
    (said,) = conversation.told
    assert structured.invoke(conversation.question) == json.loads(said.text)


def test_an_answer_passed_on_and_its_usage(speaking):
    answer = chat(speaking, SPOKEN["openai"]).invoke(QUESTION)
    assert answer.content == f"You said: {QUESTION}"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["total_tokens"] == 18


@scripted("streamed tools")
def test_a_streamed_conversation_with_tools(speaking, model):
    bound = chat(speaking, model).bind_tools([get_weather])
    first = reduce(add, bound.stream(QUESTION))
    second = reduce(add, bound.stream(with_results(first)))
    assert second.content == ANSWER


@scripted("structured")
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_a_structured_answer(speaking, model, method):
    structured = chat(speaking, model).with_structured_output(Forecast, method=method)
    answer = structured.invoke("structured, as JSON, please")
    assert answer == Forecast(city="Paris", degrees=18)


def test_asynchronous_calls_at_the_same_time(speaking):
    async def converse(model: str) -> str:
        bound = chat(speaking, model).bind_tools([get_weather])
        first = await bound.ainvoke(QUESTION)
        pieces = [piece async for piece in bound.astream(with_results(first))]
        return str(reduce(add, pieces).content)

    async def all_at_once() -> list[str]:
        # One loop for all: LangChain keeps its connections from call to call.
        return await asyncio.gather(*map(converse, SPOKEN.values()))

    assert asyncio.run(all_at_once()) == [ANSWER] * len(SPOKEN)

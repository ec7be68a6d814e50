"""LangChain's `ChatOpenAI` against the gateway, as it comes."""

import asyncio
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.conformance.conftest import SPOKEN, Gateway

pytestmark = pytest.mark.slow

each_provider = pytest.mark.parametrize("model", SPOKEN.values(), ids=SPOKEN.keys())

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


@each_provider
def test_an_answer_and_its_usage(speaking, model):
    answer = chat(speaking, model).invoke(QUESTION)
    assert answer.content == f"You said: {QUESTION}"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["total_tokens"] == 18


@each_provider
def test_a_stream(speaking, model):
    pieces = list(chat(speaking, model, stream_usage=True).stream(QUESTION))
    whole = reduce(add, pieces)
    assert len([piece for piece in pieces if piece.content]) >= 2
    assert whole.content == f"You said: {QUESTION}"
    assert whole.usage_metadata["total_tokens"] == 18


@each_provider
def test_a_conversation_with_tools(speaking, model):
    bound = chat(speaking, model).bind_tools([get_weather])
    first = bound.invoke(QUESTION)
    assert [call["args"] for call in first.tool_calls] == [
        {"city": "Paris"},
        {"city": "Rome"},
    ]
    assert bound.invoke(with_results(first)).content == ANSWER


@each_provider
def test_a_streamed_conversation_with_tools(speaking, model):
    bound = chat(speaking, model).bind_tools([get_weather])
    first = reduce(add, bound.stream(QUESTION))
    second = reduce(add, bound.stream(with_results(first)))
    assert second.content == ANSWER


@each_provider
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

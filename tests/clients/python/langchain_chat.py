"""LangChain's chat models; the first argument says which, and through which door."""

import sys
from functools import reduce
from operator import add
from typing import Any

import telling
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    degrees: int


def through_chat(model: str) -> BaseChatModel:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model=model,
        base_url=f"{telling.URL}/v1",
        api_key=telling.KEY,
        max_retries=0,
        use_responses_api=False,
    )


def through_responses(model: str) -> BaseChatModel:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model=model,
        base_url=f"{telling.URL}/v1",
        api_key=telling.KEY,
        max_retries=0,
        use_responses_api=True,
    )


def through_messages(model: str) -> BaseChatModel:
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(
        model=model, base_url=telling.URL, api_key=telling.KEY, max_retries=0
    )


DOORS = {
    "chat": through_chat,
    "responses": through_responses,
    "messages": through_messages,
}
chat = DOORS[sys.argv[1]]
get_weather = tool(telling.get_weather)


def with_results(first: Any) -> list[BaseMessage]:
    found = [get_weather.invoke(call) for call in first.tool_calls]
    return [HumanMessage(telling.QUESTION), first, *found]


def plain(model: str) -> str:
    return chat(model).invoke(telling.QUESTION).text


def streamed(model: str) -> list[str]:
    pieces = [piece.text for piece in chat(model).stream(telling.QUESTION)]
    return [piece for piece in pieces if piece]


def tools(model: str) -> str:
    bound = chat(model).bind_tools([get_weather])
    return bound.invoke(with_results(bound.invoke(telling.QUESTION))).text


def streamed_tools(model: str) -> str:
    bound = chat(model).bind_tools([get_weather])
    first = reduce(add, bound.stream(telling.QUESTION))
    return reduce(add, bound.stream(with_results(first))).text


def structured(model: str) -> Any:
    return chat(model).with_structured_output(Forecast).invoke(telling.STRUCTURED)


telling.tell(
    plain=plain,
    streamed=streamed,
    tools=tools,
    streamed_tools=streamed_tools,
    structured=lambda model: structured(model).model_dump(),
)

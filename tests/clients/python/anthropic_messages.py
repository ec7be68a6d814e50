"""Anthropic's SDK at the Messages API."""

from typing import Any

import anthropic
import telling
from pydantic import BaseModel

client = anthropic.Anthropic(base_url=telling.URL, api_key=telling.KEY, max_retries=0)
TOOLS: Any = [
    {
        "name": "get_weather",
        "description": "Tell the weather of a city",
        "input_schema": telling.PARAMETERS,
    }
]
LIMIT = 1000


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    degrees: int


def asked(content: str) -> list[Any]:
    return [{"role": "user", "content": content}]


def text_of(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def plain(model: str) -> str:
    messages = asked(telling.QUESTION)
    return text_of(
        client.messages.create(model=model, max_tokens=LIMIT, messages=messages)
    )


def streamed(model: str) -> list[str]:
    with client.messages.stream(
        model=model, max_tokens=LIMIT, messages=asked(telling.QUESTION)
    ) as stream:
        return list(stream.text_stream)


def results(message: Any) -> list[Any]:
    found = [
        {
            "type": "tool_result",
            "tool_use_id": block.id,
            "content": telling.weather_of(block.input),
        }
        for block in message.content
        if block.type == "tool_use"
    ]
    said = {"role": "assistant", "content": message.content}
    return [*asked(telling.QUESTION), said, {"role": "user", "content": found}]


def tools(model: str) -> str:
    def ask(messages: list[Any]) -> Any:
        return client.messages.create(
            model=model, max_tokens=LIMIT, messages=messages, tools=TOOLS
        )

    return text_of(ask(results(ask(asked(telling.QUESTION)))))


def streamed_tools(model: str) -> str:
    def ask(messages: list[Any]) -> Any:
        with client.messages.stream(
            model=model, max_tokens=LIMIT, messages=messages, tools=TOOLS
        ) as stream:
            return stream.get_final_message()

    return text_of(ask(results(ask(asked(telling.QUESTION)))))


def structured(model: str) -> Any:
    answer = client.messages.parse(
        model=model,
        max_tokens=LIMIT,
        messages=asked(telling.STRUCTURED),
        output_format=Forecast,
    )
    return answer.parsed_output.model_dump() if answer.parsed_output else None


telling.tell(
    plain=plain,
    streamed=streamed,
    tools=tools,
    streamed_tools=streamed_tools,
    structured=structured,
)

"""Ollama's own client at Ollama's own API."""

import json
from typing import Any

import ollama
import telling

client = ollama.Client(
    host=telling.URL, headers={"authorization": f"Bearer {telling.KEY}"}
)
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
}


def asked(content: str) -> list[Any]:
    return [{"role": "user", "content": content}]


def plain(model: str) -> str | None:
    answer = client.chat(model=model, messages=asked(telling.QUESTION))
    return answer.message.content


def streamed(model: str) -> list[str]:
    stream = client.chat(model=model, messages=asked(telling.QUESTION), stream=True)
    return [piece.message.content for piece in stream if piece.message.content]


def with_results(calls: Any) -> list[Any]:
    said = {"role": "assistant", "content": "", "tool_calls": calls}
    found = [
        {
            "role": "tool",
            "tool_name": call.function.name,
            "content": telling.weather_of(dict(call.function.arguments)),
        }
        for call in calls
    ]
    return [*asked(telling.QUESTION), said, *found]


def tools(model: str) -> str | None:
    def ask(messages: list[Any]) -> Any:
        answer = client.chat(
            model=model, messages=messages, tools=[telling.get_weather]
        )
        return answer.message

    return ask(with_results(ask(asked(telling.QUESTION)).tool_calls)).content


def streamed_tools(model: str) -> str:
    def ask(messages: list[Any]) -> list[Any]:
        stream = client.chat(
            model=model, messages=messages, tools=[telling.get_weather], stream=True
        )
        return [piece.message for piece in stream]

    first = ask(asked(telling.QUESTION))
    calls = [call for piece in first for call in piece.tool_calls or ()]
    return "".join(piece.content or "" for piece in ask(with_results(calls)))


def structured(model: str) -> Any:
    answer = client.chat(model=model, messages=asked(telling.STRUCTURED), format=SCHEMA)
    return json.loads(answer.message.content or "")


telling.tell(
    plain=plain,
    streamed=streamed,
    tools=tools,
    streamed_tools=streamed_tools,
    structured=structured,
)

"""OpenAI's SDK at chat completions."""

from typing import Any

import openai
import telling
from pydantic import BaseModel

client = openai.OpenAI(base_url=f"{telling.URL}/v1", api_key=telling.KEY, max_retries=0)
TOOLS: Any = [{"type": "function", "function": telling.FUNCTION}]


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    degrees: int


def asked(content: str) -> list[Any]:
    return [{"role": "user", "content": content}]


def plain(model: str) -> str | None:
    answer = client.chat.completions.create(
        model=model, messages=asked(telling.QUESTION)
    )
    return answer.choices[0].message.content


def streamed(model: str) -> list[str]:
    with client.chat.completions.stream(
        model=model, messages=asked(telling.QUESTION)
    ) as stream:
        return [event.delta for event in stream if event.type == "content.delta"]


def results(message: Any) -> list[Any]:
    found = [
        {
            "role": "tool",
            "tool_call_id": call.id,
            "content": telling.weather_of(call.function.arguments),
        }
        for call in message.tool_calls
    ]
    return [*asked(telling.QUESTION), message.model_dump(exclude_unset=True), *found]


def tools(model: str) -> str | None:
    def ask(messages: list[Any]) -> Any:
        answer = client.chat.completions.create(
            model=model, messages=messages, tools=TOOLS
        )
        return answer.choices[0].message

    return ask(results(ask(asked(telling.QUESTION)))).content


def streamed_tools(model: str) -> str | None:
    def ask(messages: list[Any]) -> Any:
        with client.chat.completions.stream(
            model=model, messages=messages, tools=TOOLS
        ) as stream:
            message = stream.get_final_completion().choices[0].message
        for call in message.tool_calls or ():
            del call.function.parsed_arguments
        return message

    first = ask(asked(telling.QUESTION))
    return ask(results(first)).content


def structured(model: str) -> Any:
    answer = client.chat.completions.parse(
        model=model, messages=asked(telling.STRUCTURED), response_format=Forecast
    )
    parsed = answer.choices[0].message.parsed
    return parsed.model_dump() if parsed else None


telling.tell(
    plain=plain,
    streamed=streamed,
    tools=tools,
    streamed_tools=streamed_tools,
    structured=structured,
)

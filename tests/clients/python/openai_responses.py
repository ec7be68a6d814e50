"""OpenAI's SDK at the Responses API."""

from typing import Any

import openai
import telling
from pydantic import BaseModel

client = openai.OpenAI(base_url=f"{telling.URL}/v1", api_key=telling.KEY, max_retries=0)
TOOLS: Any = [{"type": "function", **telling.FUNCTION, "strict": True}]


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    degrees: int


def plain(model: str) -> str:
    return client.responses.create(model=model, input=telling.QUESTION).output_text


def streamed(model: str) -> list[str]:
    with client.responses.stream(model=model, input=telling.QUESTION) as stream:
        return [e.delta for e in stream if e.type == "response.output_text.delta"]


def results(output: list[Any]) -> list[Any]:
    found = [
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": telling.weather_of(call.arguments),
        }
        for call in output
        if call.type == "function_call"
    ]
    items = [item.model_dump(exclude={"parsed_arguments"}) for item in output]
    return [{"role": "user", "content": telling.QUESTION}, *items, *found]


def tools(model: str) -> str:
    def ask(given: Any) -> Any:
        return client.responses.create(model=model, input=given, tools=TOOLS)

    return ask(results(ask(telling.QUESTION).output)).output_text


def streamed_tools(model: str) -> str:
    def ask(given: Any) -> Any:
        with client.responses.stream(model=model, input=given, tools=TOOLS) as stream:
            return stream.get_final_response()

    return ask(results(ask(telling.QUESTION).output)).output_text


def structured(model: str) -> Any:
    answer = client.responses.parse(
        model=model, input=telling.STRUCTURED, text_format=Forecast
    )
    return answer.output_parsed.model_dump() if answer.output_parsed else None


telling.tell(
    plain=plain,
    streamed=streamed,
    tools=tools,
    streamed_tools=streamed_tools,
    structured=structured,
)

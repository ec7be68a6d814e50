"""OpenAI's Agents SDK in its default mode, which is the Responses API."""

import os
from typing import Any

import telling
from pydantic import BaseModel

os.environ["OPENAI_BASE_URL"] = f"{telling.URL}/v1"
os.environ["OPENAI_API_KEY"] = telling.KEY

from agents import (
    Agent,
    Runner,
    function_tool,
    set_tracing_disabled,
)

set_tracing_disabled(True)
get_weather = function_tool(telling.get_weather)


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    degrees: int


def agent(model: str, **options: Any) -> Agent:
    return Agent(name="Weather", model=model, **options)


async def plain(model: str) -> str:
    return (await Runner.run(agent(model), telling.QUESTION)).final_output


async def streamed(model: str) -> list[str]:
    run = Runner.run_streamed(agent(model), telling.QUESTION)
    return [
        event.data.delta
        async for event in run.stream_events()
        if event.type == "raw_response_event"
        and event.data.type == "response.output_text.delta"
    ]


async def tools(model: str) -> str:
    done = await Runner.run(agent(model, tools=[get_weather]), telling.QUESTION)
    return done.final_output


async def streamed_tools(model: str) -> str:
    run = Runner.run_streamed(agent(model, tools=[get_weather]), telling.QUESTION)
    async for _ in run.stream_events():
        pass
    return run.final_output


async def structured(model: str) -> Any:
    done = await Runner.run(agent(model, output_type=Forecast), telling.STRUCTURED)
    return done.final_output.model_dump()


telling.tell(
    plain=plain,
    streamed=streamed,
    tools=tools,
    streamed_tools=streamed_tools,
    structured=structured,
)

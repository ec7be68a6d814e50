"""Pydantic AI; the first argument says which provider of its own it uses."""

import os
import sys
from typing import Any

import telling
from pydantic import BaseModel
from pydantic_ai import Agent

PREFIX = sys.argv[1]

os.environ["OPENAI_BASE_URL"] = f"{telling.URL}/v1"
os.environ["OPENAI_API_KEY"] = telling.KEY
os.environ["ANTHROPIC_BASE_URL"] = telling.URL
os.environ["ANTHROPIC_API_KEY"] = telling.KEY


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    degrees: int


def agent(model: str, **options: Any) -> Agent[None, Any]:
    return Agent(f"{PREFIX}:{model}", **options)


async def plain(model: str) -> str:
    return (await agent(model).run(telling.QUESTION)).output


async def streamed(model: str) -> list[str]:
    async with agent(model).run_stream(telling.QUESTION) as run:
        return [piece async for piece in run.stream_text(delta=True, debounce_by=None)]


async def tools(model: str) -> str:
    done = await agent(model, tools=[telling.get_weather]).run(telling.QUESTION)
    return done.output


async def streamed_tools(model: str) -> str:
    asked = agent(model, tools=[telling.get_weather])
    async with asked.run_stream(telling.QUESTION) as run:
        return await run.get_output()


async def structured(model: str) -> Any:
    done = await agent(model, output_type=Forecast).run(telling.STRUCTURED)
    return done.output.model_dump()


telling.tell(
    plain=plain,
    streamed=streamed,
    tools=tools,
    streamed_tools=streamed_tools,
    structured=structured,
)

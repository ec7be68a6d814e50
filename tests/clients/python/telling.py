"""What the scripts beside this one share: the weather, and how they tell.

A script is given, as JSON on standard input, a model's name by provider. It does each
of its tasks with each model and prints a line of JSON for each: what it got, or what
was raised.
"""

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Callable
from typing import Any

URL = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]

QUESTION = "What is the weather?"
STRUCTURED = "structured, please"
TEXTS = ["1", "2"]
DEGREES = {"Paris": "18 degrees", "Rome": "24 degrees"}
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION = {
    "name": "get_weather",
    "description": "Tell the weather of a city",
    "parameters": PARAMETERS,
}


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return DEGREES[city]


def weather_of(arguments: str | dict[str, Any]) -> str:
    """Return the weather that a call asks for, its arguments as JSON or read."""
    read = json.loads(arguments) if isinstance(arguments, str) else arguments
    return get_weather(**read)


def tell(**tasks: Callable[[str], Any]) -> None:
    """Do every task with every model; a task may be a coroutine function."""
    models = json.load(sys.stdin)
    asyncio.run(_tell(models, tasks))


async def _tell(models: dict[str, str], tasks: dict[str, Callable[[str], Any]]) -> None:
    for provider, model in models.items():
        for name, task in tasks.items():
            told = {"provider": provider, "task": name, **await _outcome(task, model)}
            print(json.dumps(told), flush=True)


async def _outcome(task: Callable[[str], Any], model: str) -> dict[str, Any]:
    try:
        got = task(model)
        return {"got": await got if inspect.isawaitable(got) else got}
    except Exception as error:  # noqa: BLE001 - whatever a client raises is told
        return {"error": f"{type(error).__name__}: {error}"}

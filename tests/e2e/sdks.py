"""What the tests of vendors' SDKs have in common: who answers, what is asked."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from tests.e2e import registries
from tests.e2e.replay import Replay, Reply

MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-sonnet-4-20250514",
    "bedrock invoke": "us.anthropic.claude-opus-4-6-v1",
    "bedrock converse": "us.amazon.nova-pro-v1:0",
    "ollama": "llama3.2",
}
"""A model of each way to call one."""

DEGREES = {"Paris": "18 degrees", "Rome": "24 degrees"}
QUESTION: Any = {"role": "user", "content": "What is the weather?"}
PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
"""What the tool takes that tells the weather."""


class Forecast(BaseModel):
    """What a structured answer holds."""

    city: str
    degrees: int


def each(models: Mapping[str, str]) -> pytest.MarkDecorator:
    """Return what asks a test's `model` of every provider."""
    return pytest.mark.parametrize("model", models.values(), ids=models.keys())


def providers(url: str, models: Mapping[str, str]) -> list[registries.Provider]:
    """Return one provider of each kind, at `url`."""
    return [
        registries.openai("openai", url, models["openai"]),
        registries.anthropic("anthropic", url, models["anthropic"]),
        registries.bedrock(
            "claude", url, models["bedrock invoke"], bedrock_api="invoke"
        ),
        registries.bedrock(
            "nova", url, models["bedrock converse"], bedrock_api="converse"
        ),
        registries.ollama("ollama", url, models["ollama"]),
    ]


def breaking(replay: Replay) -> registries.Provider:
    """Return a provider whose streams break off after a word, of one model."""
    event = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hello"}}]}
    line = b"data: " + json.dumps(event).encode() + b"\n\n"
    replay.route("/breaking", Reply(200, [line], {"content-type": "text/event-stream"}))
    return registries.openai("breaking", f"{replay.url}/breaking", "breaking")

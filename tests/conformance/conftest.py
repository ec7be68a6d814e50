"""The server and the upstream are those of the end-to-end tests."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.e2e import dialects, registries
from tests.e2e.conftest import installation, replay, server
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

__all__ = ["installation", "replay", "server"]

SPOKEN = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-sonnet-4-20250514",
    "claude": "us.anthropic.claude-opus-4-6-v1",
    "nova": "us.amazon.nova-pro-v1:0",
    "ollama": "llama3.2",
}
"""A model of each kind of provider, by the provider's name."""


class Gateway(NamedTuple):
    """What an agent is told of the gateway."""

    base_url: str
    key: str


@pytest.fixture(scope="module")
def speaking(server: Callable[..., Server], replay: Replay) -> Gateway:
    """A gateway with a small model of each kind behind it; see `dialects`."""
    dialects.install(replay)
    replay.offer(SPOKEN.values())
    url, bedrock = replay.url, registries.bedrock
    made = server(
        registries.registry(
            registries.openai("openai", url, SPOKEN["openai"]),
            registries.anthropic("anthropic", url, SPOKEN["anthropic"]),
            bedrock("claude", url, SPOKEN["claude"], bedrock_api="invoke"),
            bedrock("nova", url, SPOKEN["nova"], bedrock_api="converse"),
            registries.ollama("ollama", url, SPOKEN["ollama"]),
        )
    )
    key = made.key("foreign")
    made.settle(*SPOKEN.values())
    return Gateway(f"{made.url}/v1", key)

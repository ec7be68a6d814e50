"""The server and the upstream are those of the end-to-end tests."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.e2e import dialects, registries
from tests.e2e.conftest import installation, replay, server
from tests.e2e.processes import Server
from tests.e2e.replay import Answer, Received, Replay, Reply, cut
from tests.recordings import conversations
from tests.recordings.conversations import Conversation
from tests.recordings.traffic import ABSENT, JSON, body_of

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
    made.settle(*SPOKEN.values(), key=key)
    return Gateway(f"{made.url}/v1", key)


def those(found: list[Conversation]) -> list[Any]:
    """Return conversations as parameters; one that is skipped where none are."""
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason=ABSENT))]
    return [pytest.param(each, id=each.name) for each in found]


@pytest.fixture(scope="module")
def recorded(server: Callable[..., Server], replay: Replay) -> Gateway:
    """A gateway with a provider for each conversation, which has it once more."""
    kept = [
        *conversations.with_tools(),
        *conversations.streams(),
        *conversations.structured(),
    ]
    for each in kept:
        replay.route(f"/{each.name}", _again(each))
    providers = [_provider(each, f"{replay.url}/{each.name}") for each in kept]
    made = server(registries.registry(*providers))
    key = made.key("foreign")
    made.settle(key=key)
    return Gateway(f"{made.url}/v1", key)


def _provider(conversation: Conversation, url: str) -> registries.Provider:
    record = conversation.records[0]
    model = record["model"]
    if record["provider"] == "bedrock":
        mode = record["operation"].removesuffix("-stream")
        return registries.bedrock(conversation.name, url, model, bedrock_api=mode)
    make = {"anthropic": registries.anthropic, "ollama": registries.ollama}
    return make[record["provider"]](conversation.name, url, model)


def _again(conversation: Conversation) -> Answer:
    """Answer as recorded: the second turn once the results of the first came up."""

    def answer(received: Received) -> Reply:
        turns = conversation.records
        if len(turns) == 1 or not _results_of(received.json):
            return _reply(turns[0])
        if _results_of(received.json) != conversation.results:
            return Reply(400, [b"{}"])
        return _reply(turns[1])

    return answer


def _reply(record: JSON) -> Reply:
    """Return the recording as an upstream sends it, cut where nobody expects it."""
    left_out = {"transfer-encoding", "content-length"}
    headers = {
        name: value
        for name, value in record["response"]["headers"].items()
        if name.lower() not in left_out
    }
    return Reply(record["response"]["status"], cut(body_of(record)), headers)


def _results_of(body: JSON) -> list[str]:
    """Return what the tools said, in the order in which the upstream reads it."""
    found = []
    for message in body["messages"]:
        if message["role"] == "tool":
            found.append(message["content"])
            continue
        blocks = message["content"] if isinstance(message["content"], list) else []
        for block in blocks:
            if "toolResult" in block:
                found.append(_text(block["toolResult"]["content"]))
            elif block.get("type") == "tool_result":
                found.append(_text(block["content"]))
    return found


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content)

"""Vercel's AI SDK against the gateway, with its provider for OpenAI's format.

It has recorded conversations again, with the tools and the results of the recording.
Answers are scripted where nothing was recorded: OpenAI's own are passed on as they are,
nobody recorded a structured answer over InvokeModel, or Ollama's tools in a stream.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import node_packages
from tests.conformance.conftest import SPOKEN, Gateway, those
from tests.recordings import conversations
from tests.recordings.conversations import Conversation

SOURCE = Path(__file__).parent / "vercel"
RUN_SECONDS = 180

pytestmark = pytest.mark.slow

SCRIPTED = {
    "streamedTools": [SPOKEN["openai"], SPOKEN["ollama"]],
    "structured": [SPOKEN["openai"], SPOKEN["claude"]],
}
"""Models whose answers are scripted because there is no recording; see above."""


@pytest.fixture(scope="module")
def package() -> Path:
    """The SDK, installed as its lock says into a folder that later runs find again."""
    try:
        return node_packages.installed(SOURCE)
    except node_packages.NotInstalled as problem:
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def told(package: Path, speaking: Gateway) -> dict[str, Any]:
    """What the agent got from scripted answers, by model."""
    return run(package, speaking, SCRIPTED, [])


@pytest.fixture(scope="module")
def told_again(package: Path, recorded: Gateway) -> dict[str, Any]:
    """What the agent got from recorded answers, by model."""
    kept = [
        *(_asked(each) for each in conversations.with_tools()),
        *(_asked(each) for each in conversations.streams()),
        *(_asked(each, structured=True) for each in conversations.structured()),
    ]
    return run(package, recorded, {name: [] for name in SCRIPTED}, kept)


def _asked(conversation: Conversation, *, structured: bool = False) -> dict[str, Any]:
    """Return what the agent must know of a conversation to have it again."""
    calls = conversation.told[0].calls
    results = zip(calls, conversation.results, strict=True)
    return {
        "model": conversation.model,
        "streams": conversation.streams,
        "question": conversation.question,
        "tools": conversation.tools,
        "results": [{"call": call, "result": result} for call, result in results],
        "schema": conversation.schema or None,
        "structured": structured,
    }


def run(
    package: Path,
    gateway: Gateway,
    scripted: dict[str, list[str]],
    recorded: list[dict[str, Any]],
) -> dict[str, Any]:
    """Run the agent and return what it tells."""
    done = subprocess.run(
        ["node", "agent.mjs"],
        cwd=package,
        env={
            "PATH": os.environ["PATH"],
            "BASE_URL": gateway.base_url,
            "API_KEY": gateway.key,
        },
        input=json.dumps({"scripted": scripted, "recorded": recorded}).encode(),
        capture_output=True,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stderr.decode()
    # The SDK prints warnings and advice before.
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _usage(conversation: Conversation) -> list[list[int | None]]:
    """Return the tokens of each answer; in streams the SDK does not ask for them."""
    if conversation.streams:
        return [[None, None] for _ in conversation.told]
    return [list(answer.usage) for answer in conversation.told]


@pytest.mark.parametrize("conversation", those(conversations.with_tools()))
def test_a_recorded_conversation_with_tools(told_again, conversation):
    got = told_again[conversation.model]
    asked, said = conversation.told
    assert got["calls"] == [list(call) for call in asked.calls]
    assert got["texts"] == [asked.text, said.text]
    assert got["finishReason"] == said.finish
    assert got["usage"] == _usage(conversation)


@pytest.mark.parametrize("conversation", those(conversations.streams()))
def test_a_recorded_stream(told_again, conversation):
    got = told_again[conversation.model]
    (said,) = conversation.told
    assert "".join(got["pieces"]) == said.text
    assert len(got["pieces"]) >= 2
    assert got["usage"] == _usage(conversation)


@pytest.mark.parametrize("conversation", those(conversations.structured()))
def test_a_recorded_structured_answer(told_again, conversation):
    (said,) = conversation.told
    assert told_again[conversation.model]["output"] == json.loads(said.text)


@pytest.mark.parametrize("model", SCRIPTED["streamedTools"])
def test_a_streamed_conversation_with_tools(told, model):
    got = told[model]["streamedConversation"]
    assert "".join(got["pieces"]) == "Paris: 18 degrees. Rome: 24 degrees."
    assert got["finishReason"] == "stop"


@pytest.mark.parametrize("model", SCRIPTED["structured"])
def test_a_structured_answer(told, model):
    assert told[model]["structured"] == {"city": "Paris", "degrees": 18}

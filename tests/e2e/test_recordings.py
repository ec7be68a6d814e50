"""Recorded answers of the vendors, replayed in awkward pieces and read by the SDK."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Received, Replay, Reply, cut, json_reply

# File, operation, and whether it streams -> the provider that such answers come from.
KINDS = {
    "openai": ("openai", "chat.completions"),
    "anthropic": ("anthropic", "messages"),
    "ollama": ("ollama", "api-chat"),
    "invoke": ("bedrock", "invoke"),
    "invoke-stream": ("bedrock", "invoke-stream"),
    "converse": ("bedrock", "converse"),
    "converse-stream": ("bedrock", "converse-stream"),
}
EACH = 15
STREAMS = {"stream", "stream_by_default"}
# Claude's body alone: the other families have parsers of their own.
MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-sonnet-4-20250514",
    "ollama": "llama3.2",
    "invoke": "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "converse": "amazon.nova-pro-v1:0",
}


@pytest.fixture(scope="module")
def current() -> dict[str, Any]:
    """Holds the record that is answered with."""
    return {}


@pytest.fixture(scope="module")
def gateway(
    server: Callable[..., Server], replay: Replay, current: dict[str, Any]
) -> Server:
    """One provider of each kind, all answered with the current record."""

    def answer(received: Received) -> Reply:
        return recorded_reply(current["record"])

    for name in MODELS:
        replay.route(f"/{name}", answer)
    url = replay.url
    return server(
        registries.registry(
            registries.openai("openai", f"{url}/openai", MODELS["openai"]),
            registries.anthropic("anthropic", f"{url}/anthropic", MODELS["anthropic"]),
            registries.ollama("ollama", f"{url}/ollama", MODELS["ollama"]),
            registries.bedrock(
                "invoke", f"{url}/invoke", MODELS["invoke"], bedrock_api="invoke"
            ),
            registries.bedrock(
                "converse",
                f"{url}/converse",
                MODELS["converse"],
                bedrock_api="converse",
            ),
        )
    )


def recorded_reply(record: Any) -> Reply:
    """Return a recorded response, cut where no boundary is."""
    response = record["response"]
    text = response.get("body_text")
    body = b64decode(response["body_b64"]) if text is None else text.encode()
    left_out = {"transfer-encoding", "content-length"}
    headers = {k: v for k, v in response["headers"].items() if k not in left_out}
    if not STREAMS & set(record["tags"]):
        reply = json_reply(body, response["status"])
        reply.headers = {**reply.headers, **headers}
        return reply
    return Reply(response["status"], cut(body), headers)


def records(traffic: Path, kind: str, *, stream: bool) -> Iterator[Any]:
    """Return some whole, successful records of a kind."""
    name, operation = KINDS[kind]
    found = 0
    with (traffic / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            tags = set(record["tags"])
            if record["operation"] != operation or record["response"]["status"] != 200:
                continue
            if bool(tags & STREAMS) is not stream or tags & {"truncated", "error"}:
                continue
            if kind.startswith("invoke") and not is_claudes(record):
                continue
            yield record
            found += 1
            if found == EACH:
                return


def is_claudes(record: Any) -> bool:
    """Tell whether a record is of Claude's messages, not of its older prompts."""
    body = record["request"]["body_json"] or {}
    return record["family"] == "claude" and "messages" in body


@pytest.mark.parametrize("kind", MODELS)
def test_whole_answers_are_what_the_sdk_reads(gateway, traffic, current, kind):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="platform-managed") as sdk:
        seen = 0
        for record in records(traffic, kind, stream=False):
            current["record"] = record
            answer = sdk.chat.completions.create(
                model=MODELS[kind], messages=[{"role": "user", "content": "hi"}]
            )
            assert answer.choices[0].finish_reason, record["id"]
            assert answer.model == MODELS[kind]
            seen += 1
    assert seen >= 3


@pytest.mark.parametrize(
    "kind", ["openai", "anthropic", "ollama", "invoke-stream", "converse-stream"]
)
def test_streams_are_what_the_sdk_reads(gateway, traffic, current, kind):
    model = MODELS[kind.removesuffix("-stream")]
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="platform-managed") as sdk:
        seen = 0
        for record in records(traffic, kind, stream=True):
            current["record"] = record
            stream = sdk.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "hi"}], stream=True
            )
            chunks = list(stream)
            choices = [choice for chunk in chunks for choice in chunk.choices]
            assert any(choice.finish_reason for choice in choices), record["id"]
            assert len({chunk.id for chunk in chunks}) == 1, record["id"]
            seen += 1
    assert seen >= 3

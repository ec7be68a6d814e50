"""Anthropic's own SDK reads what is passed on, whole and streamed."""

import asyncio

import pytest

from runagents.asgi import application
from tests.gateway.calls.passages.test_golden_cases import CASES, read
from tests.gateway.frames import stream_bytes
from tests.gateway.translators.test_message_relay import (
    MESSAGE,
    WHOLE,
    ending,
    start,
    stream,
    text,
)

anthropic = pytest.importorskip("anthropic")
httpx2 = pytest.importorskip("httpx2")

ASKED = {
    "model": "claude-sonnet-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def ask(gateway, use):
    """Return what `use` makes of a client of the gateway."""
    gateway()

    async def run():
        way = httpx2.ASGITransport(app=application, client=("127.0.0.1", 50000))
        async with httpx2.AsyncClient(transport=way) as http:
            base = "http://127.0.0.1:8000"
            client = anthropic.AsyncAnthropic(
                base_url=base,
                api_key="platform-managed",
                http_client=http,
                max_retries=0,
            )
            return await use(client)

    return asyncio.run(run())


async def final(client, **changes):
    async with client.messages.stream(**{**ASKED, **changes}) as told:
        return await told.get_final_message()


@pytest.fixture
def claude(provider):
    endpoint = "https://api.anthropic.com"
    models = ["claude-sonnet-5"]
    return provider("a", provider_type="anthropic", endpoint=endpoint, models=models)


@pytest.mark.parametrize(
    "told",
    [
        WHOLE,
        b"".join(b"data: " + each for each in WHOLE.split(b"data: ")[1:]),
        stream(start(), *text("Hello"), ending()),
    ],
    ids=["as documented", "without names", "without its last event"],
)
def test_a_stream_is_read(gateway, claude, upstream, told):
    upstream(stream=[told])
    message = ask(gateway, final)
    assert message.content[0].text == "Hello"
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 7)


def test_a_whole_answer_is_read(gateway, claude, upstream):
    upstream(json=MESSAGE)
    message = ask(gateway, lambda client: client.messages.create(**ASKED))
    assert message.content[-1].input == {"a": {"b": []}}


def test_a_whole_answer_instead_of_a_stream_is_read(gateway, claude, upstream):
    upstream(json=MESSAGE)
    message = ask(gateway, final)
    kinds = [block.type for block in message.content]
    assert kinds == [block["type"] for block in MESSAGE["content"]]
    assert message.content[-1].input == {"a": {"b": []}}


def test_tokens_are_counted(gateway, claude, upstream):
    upstream(json={"input_tokens": 11})
    asked = {name: ASKED[name] for name in ("model", "messages")}
    told = ask(gateway, lambda client: client.messages.count_tokens(**asked))
    assert told.input_tokens == 11


@pytest.mark.parametrize("case", ["031-a-stream", "070-converse-a-stream"])
def test_bedrocks_streams_are_read(gateway, provider, upstream, case):
    aws = provider(
        "b",
        provider_type="bedrock",
        endpoint="https://bedrock-runtime.us-east-1.amazonaws.com",
        models=[CLAUDE],
    )
    if "converse" in case:
        aws.options = {"bedrock_api": "converse"}
        aws.save()
    frames = read(CASES / "messages to bedrock" / case, "upstream_events.json")
    upstream(stream=[stream_bytes(frames)])
    message = ask(gateway, lambda client: final(client, model=CLAUDE))
    assert message.usage.output_tokens == 5
    assert message.stop_reason in ("end_turn", "tool_use")

"""What an upstream refuses by name is asked for once more without it, at every door."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.doors import CHAT, EMBEDDINGS, MESSAGES, OLLAMA, OLLAMA_EMBED, RESPONSES
from tests.gateway.chunks import HELLO

THOUGHT: dict[str, dict[str, Any]] = {
    CHAT.name: {"reasoning_effort": "high"},
    RESPONSES.name: {"reasoning": {"effort": "high"}},
    MESSAGES.name: {"output_config": {"effort": "high"}},
    OLLAMA.name: {"think": "high"},
}
EFFORTS = {
    CHAT.name: "reasoning_effort",
    RESPONSES.name: "reasoning.effort",
    MESSAGES.name: "output_config.effort",
    OLLAMA.name: "think",
}
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "name": "n", "schema": SCHEMA}
STRUCTURED: dict[str, dict[str, Any]] = {
    CHAT.name: {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": SCHEMA},
        }
    },
    RESPONSES.name: {"text": {"format": FORMAT}},
    MESSAGES.name: {
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}
    },
    OLLAMA.name: {"format": SCHEMA},
}


def refusing(
    sends: Callable[[dict[str, Any]], bool],
    message: str,
    answer: Any,
    status: int = 400,
) -> Callable[[httpx.Request], httpx.Response]:
    """An upstream that refuses some bodies and answers others."""

    def respond(request: httpx.Request) -> httpx.Response:
        if sends(json.loads(request.content)):
            return httpx.Response(status, json={"error": {"message": message}})
        return answer() if callable(answer) else httpx.Response(200, json=answer)

    return respond


def streamed() -> httpx.Response:
    async def parts():
        for part in HELLO:
            yield part

    headers = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=headers, content=parts())


def test_a_server_without_stream_options_streams_all_the_same(
    provider, upstream, gateway, streaming_door, ledger
):
    provider()
    refused = refusing(
        lambda body: "stream_options" in body,
        "stream_options: extra fields not permitted",
        streamed,
        422,
    )
    seen = upstream(refused)
    client = gateway()
    for _ in range(2):
        answer = streaming_door.ask(client, stream=True)
        assert answer.status_code == 200
        assert streaming_door.said_in(answer.content).text == "hello"
    sent = ["stream_options" in json.loads(each.content) for each in seen]
    assert sent == [True, False, False]
    assert [row["outcome"] for row in ledger()] == ["ok", "ok"]


def test_thinking_that_a_model_does_not_know_is_left_out_and_told(
    provider, upstream, gateway, streaming_door
):
    model = "llama3.1:8b"
    provider("llama", provider_type="ollama", models=(model,))
    answer = {"message": {"role": "assistant", "content": "hello"}, "done": True}
    refused = refusing(
        lambda body: "think" in body,
        f'"{model}" does not support thinking',
        {**answer, "done_reason": "stop"},
    )
    seen = upstream(refused)
    client = gateway()
    for _ in range(2):
        told = streaming_door.ask(client, model=model, **THOUGHT[streaming_door.name])
        streaming_door.check_answered(told)
        dropped = told.headers["x-gateway-dropped-params"].split(", ")
        assert EFFORTS[streaming_door.name] in dropped
    sent = ["think" in json.loads(each.content) for each in seen]
    assert sent == [True, False, False]


def test_a_format_that_a_server_does_not_know_is_asked_for_in_another_way(
    provider, upstream, gateway, streaming_door
):
    provider()
    said = json.dumps(streaming_door.upstream).replace("hello", '{\\"n\\":1}')
    refused = refusing(
        lambda body: body.get("response_format", {}).get("type") == "json_schema",
        "response_format: json_schema is not supported by this model",
        json.loads(said),
    )
    seen = upstream(refused)
    client = gateway()
    for _ in range(2):
        told = streaming_door.ask(client, **STRUCTURED[streaming_door.name])
        assert told.status_code == 200, told.text
        assert streaming_door.text_in(told.json()) == '{"n":1}'
        assert told.headers["x-gateway-downgraded"]
    assert len(seen) == 3


def test_any_other_refusal_is_told_at_once(provider, upstream, gateway, door):
    provider()
    message = "The moon is full."
    seen = upstream(json={"error": {"message": message}}, status=400)
    response = door.ask(gateway())
    assert (response.status_code, len(seen)) == (400, 1)
    assert door.refusal_in(response.json(), 400).message == message


def test_both_attempts_count_against_the_limit(
    provider, upstream, gateway, streaming_door
):
    provider(requests_per_minute=1)
    refused = refusing(
        lambda body: "stream_options" in body, "stream_options: unknown", streamed
    )
    seen = upstream(refused)
    response = streaming_door.ask(gateway(), stream=True)
    streaming_door.check_refused(response, 429, "rate_limit_exceeded")
    assert len(seen) == 1


@pytest.mark.parametrize("door", [EMBEDDINGS, OLLAMA_EMBED], ids=lambda door: door.name)
def test_an_encoding_that_a_server_does_not_know_is_not_asked_for(
    provider, upstream, gateway, door
):
    provider()
    refused = refusing(
        lambda body: "encoding_format" in body,
        "encoding_format: extra inputs are not permitted",
        door.upstream,
    )
    seen = upstream(refused)
    client = gateway()
    for _ in range(2):
        door.check_answered(door.ask(client, encoding_format="float"))
    asked = ["encoding_format" in json.loads(each.content) for each in seen]
    assert asked == ([True, False, False] if door is EMBEDDINGS else [False, False])

"""What real clients sent, answered whole and streamed, whoever serves the model."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.frames import stream_bytes
from tests.grammar.messages import message_in

CLIENTS = Path(__file__).resolve().parents[4].parent / "shared" / "clients"
ABSENT = "the recorded requests are not beside the repository"
ANSWERS = {
    "openai": {
        "id": "chatcmpl-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    },
    "ollama": {
        "model": "m",
        "message": {"role": "assistant", "content": "hello"},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 9,
        "eval_count": 2,
    },
    "bedrock": {
        "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11},
    },
}

FRAMES: list[dict[str, Any]] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "hel"}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "lo"}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11}}},
]
"""The same answer as Amazon's binary frames have it."""


def requests() -> list[Any]:
    path = CLIENTS / "messages.jsonl"
    if not path.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason=ABSENT))]
    lines = map(json.loads, path.read_text().splitlines())
    return [
        pytest.param(record, id=f"{record['client']}-{record['n']}")
        for record in lines
        # What a person's shell asked while the clients were set up has no body.
        if record["method"] == "POST" and record["body"]
    ]


def answer(kind: str, request: httpx.Request) -> httpx.Response:
    """Return what an upstream says to `request`, streamed where that is wanted."""
    told = ANSWERS[kind]
    if request.url.path.endswith("-stream"):
        is_wrapped = "invoke" in request.url.path
        frames = [{"chunk": each} for each in FRAMES] if is_wrapped else FRAMES
        return httpx.Response(
            200,
            headers={"content-type": "application/vnd.amazon.eventstream"},
            content=stream_bytes(frames),
        )
    if kind != "openai" or not json.loads(request.content).get("stream"):
        return httpx.Response(200, json=told)
    choice = {**told["choices"][0], "delta": told["choices"][0]["message"]}
    chunk = {**told, "choices": [choice]}
    return httpx.Response(
        200,
        headers={"content-type": "text/event-stream"},
        content=b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n",
    )


@pytest.mark.parametrize("kind", ["openai", "ollama", "bedrock"])
@pytest.mark.parametrize("record", requests())
def test_a_request_of_a_real_client_is_answered(
    provider, upstream, gateway, record, kind
):
    body = record["body"]
    fields = {"provider_type": kind}
    if kind == "bedrock":
        fields |= {
            "endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com",
            "region": "us-east-1",
        }
    row = provider("up", models=(body["model"],), **fields)
    model = row.provider_models.get()
    model.upstream_id = {"bedrock": "us.amazon.nova-pro-v1:0"}.get(kind, "upstream")
    model.save()
    seen = upstream(lambda request: answer(kind, request))
    path = record["path"].replace("fake-anthropic", "up")
    headers = {
        name: value
        for name, value in record["headers"].items()
        # Their keys were placeholders.
        if name not in ("authorization", "x-api-key", "accept-encoding")
    }
    got = gateway().post(path, json=body, headers=headers)
    assert got.status_code == 200, got.text
    if "count_tokens" in path:
        assert got.json()["input_tokens"] > 0
        return
    message = message_in(got.content) if body.get("stream") else got.json()
    assert message["content"] == [{"type": "text", "text": "hello"}]
    assert message["stop_reason"] == "end_turn"
    assert len(seen) == 1

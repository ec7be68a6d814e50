"""A stream in which nothing comes for a while."""

import json

import httpx
import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import chat
from tests.e2e.replay import Reply

pytestmark = pytest.mark.slow

MODEL = "claude-sonnet-4-6"
PAUSE = 1.3


def slowly(received) -> Reply:
    """Claude's stream in three parts, with pings and pauses between them."""
    said = dialects.Said("Hello there.", [])
    events = dialects.claude_events(said, MODEL)
    lines = [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    parts = [b"".join(lines[:4]), ping, ping, b"".join(lines[4:])]
    return Reply(200, parts, {"content-type": "text/event-stream"}, pause=PAUSE)


def test_silence_and_pings_become_comments(server, replay):
    replay.route("/v1/messages", slowly)
    gateway = server(
        registries.registry(registries.anthropic("claude", replay.url, MODEL)),
        KEEPALIVE_SECONDS="1",
    )
    body = chat(MODEL) | {"stream": True}
    answer = httpx.post(gateway.chat_url, json=body, trust_env=False, timeout=60)
    frames = answer.text.split("\n\n")
    comments = [frame for frame in frames if frame.startswith(":")]
    events = [frame[6:] for frame in frames if frame.startswith("data: ")]
    assert len(comments) == 3
    assert events.pop() == "[DONE]"
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events]
    assert "".join(delta.get("content", "") for delta in deltas) == "Hello there."
    assert [delta for delta in deltas if not delta] == [{}]

"""A stream in which nothing comes for a while."""

import json
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import chat
from tests.e2e.replay import Reply

pytestmark = pytest.mark.slow

MODEL = "claude-sonnet-4-6"


class InTurn(list[bytes]):
    """Parts of an answer, each of which waits until its client has seen the silence."""

    def __init__(self, parts: list[bytes]) -> None:
        super().__init__(parts)
        self.seen = threading.Semaphore()

    def __iter__(self) -> Iterator[bytes]:
        for part in super().__iter__():
            assert self.seen.acquire(timeout=60)
            yield part


def told() -> InTurn:
    """Claude's stream in four parts, two of which are pings."""
    said = dialects.Said("Hello there.", [])
    events = dialects.claude_events(said, MODEL)
    lines = [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    return InTurn([b"".join(lines[:4]), ping, ping, b"".join(lines[4:])])


def test_silence_and_pings_become_comments(server, replay):
    parts = told()
    replay.route(
        "/v1/messages", Reply(200, parts, {"content-type": "text/event-stream"})
    )
    gateway = server(
        registries.registry(registries.anthropic("claude", replay.url, MODEL)),
        KEEPALIVE_SECONDS="1",
    )
    body = chat(MODEL) | {"stream": True}
    frames, url = [], gateway.chat_url
    with httpx.stream("POST", url, json=body, trust_env=False, timeout=60) as answer:
        for line in filter(None, answer.iter_lines()):
            frames.append(line)
            if line.startswith(":"):
                parts.seen.release()
    comments = [frame for frame in frames if frame.startswith(":")]
    events = [frame[6:] for frame in frames if frame.startswith("data: ")]
    assert len(comments) >= 3
    assert len(comments) + len(events) == len(frames)
    assert events.pop() == "[DONE]"
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events]
    assert "".join(delta.get("content", "") for delta in deltas) == "Hello there."
    assert [delta for delta in deltas if not delta] == [{}]

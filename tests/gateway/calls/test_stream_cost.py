"""What a stream costs the processor: an upstream's burst must not stall the others."""

import time
from collections.abc import Callable

import pytest

from gateway.hub.protocol import JSON, Reply
from gateway.translators import TRANSLATORS
from gateway.wire import sse
from gateway.wire.jsontext import encode

CHUNKS = 200
BOUND = 0.003
"""Seconds for `CHUNKS` chunks; several times what they take on a machine of 2025."""


def openai_event(text: str) -> JSON:
    return {
        "id": "chatcmpl-BxVJHm0ZQ9fKp1fKzSxkX3oNWgE5p",
        "object": "chat.completion.chunk",
        "created": 1753234567,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_34a54ae93c",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
        "usage": None,
        "obfuscation": "abcdef",
    }


def anthropic_event(text: str) -> JSON:
    delta = {"type": "text_delta", "text": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def ollama_event(text: str) -> JSON:
    return {"model": "m", "message": {"role": "assistant", "content": text}}


ANTHROPIC_HEAD = (
    {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
)


def framed(event: JSON) -> bytes:
    return b"data: " + encode(event) + b"\n\n"


def lined(event: JSON) -> bytes:
    return encode(event) + b"\n"


def cpu_seconds(run: Callable[[], object]) -> float:
    """Return the least of several runs: what the code takes, not what else runs."""
    times = []
    for _ in range(15):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.parametrize(
    ("name", "head", "event", "frame"),
    [
        ("openai", (), openai_event, framed),
        ("anthropic", ANTHROPIC_HEAD, anthropic_event, framed),
        ("ollama", (), ollama_event, lined),
    ],
)
def test_a_burst_of_chunks_is_cheap(
    name: str,
    head: tuple[JSON, ...],
    event: Callable[[str], JSON],
    frame: Callable[[JSON], bytes],
) -> None:
    raw = b"".join(map(frame, head)) + frame(event(" word")) * CHUNKS

    def run() -> bytes:
        return sse.encode(TRANSLATORS[name].stream_parser(Reply("m")).feed(raw))

    assert run().count(b" word") == CHUNKS
    assert cpu_seconds(run) < BOUND


def test_a_large_event_in_small_reads_is_not_copied_for_each() -> None:
    piece = b"x" * 1000
    pieces = 4000

    def run() -> None:
        decoder = sse.SSEDecoder()
        decoder.feed(b"data: ")
        for _ in range(pieces):
            decoder.feed(piece)
        (event,) = decoder.feed(b"\n\n")
        assert len(event.data) == len(piece) * pieces

    assert cpu_seconds(run) < 0.1

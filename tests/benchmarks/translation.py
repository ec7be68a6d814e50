"""What translation alone costs, in microseconds: no network, no server.

    python -m tests.benchmarks.translation [--seconds 0.2]

Each job runs at two sizes, the second four times the first. Where the cost grows with
the size and no faster, the cost per kilobyte stays the same or falls; the last column
says how it changed, and anything well above 1 is a loop in a loop.
"""

import argparse
import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
django.setup()

from gateway.calls.passages import between  # noqa: E402
from gateway.doors import DOORS  # noqa: E402
from gateway.doors.protocol import Asked  # noqa: E402
from gateway.entry import bodies  # noqa: E402
from gateway.hub.protocol import JSON, Reply, Route  # noqa: E402
from gateway.translators import TRANSLATORS  # noqa: E402
from gateway.wire import jsontext  # noqa: E402
from tests.gateway.frames import stream_bytes  # noqa: E402

TARGETS = {
    "openai": ("openai", "gpt-4o-mini"),
    "anthropic": ("anthropic", "claude-sonnet-4-5"),
    "bedrock claude": ("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "bedrock nova": ("bedrock", "amazon.nova-pro-v1:0"),
    "converse": ("bedrock", "arn:aws:bedrock:us-east-1:1:imported-model/a"),
    "ollama": ("ollama", "llama3.2"),
}
WORDS = "The quick brown fox jumps over the lazy dog. "
GROWTH = 4


class Job(NamedTuple):
    """One thing to measure at two sizes: bytes it is about, and how to do it once."""

    name: str
    sizes: tuple[int, int]
    runs: tuple[Callable[[], Any], Callable[[], Any]]
    pieces: tuple[int, int] = (1, 1)


# --- requests -------------------------------------------------------------------------


def chat(scale: int) -> JSON:
    """Return a short chat: a kilobyte or so."""
    system = {"role": "system", "content": WORDS * 8 * scale}
    return {"messages": [system, {"role": "user", "content": WORDS * 14 * scale}]}


def history(scale: int) -> JSON:
    """Return a history of 50 turns, every other one with a tool's result."""
    messages: list[JSON] = []
    for turn in range(25 * scale):
        call = {
            "id": f"call_{turn}",
            "type": "function",
            "function": {"name": "search", "arguments": json.dumps({"q": WORDS})},
        }
        messages += [
            {"role": "user", "content": WORDS},
            {"role": "assistant", "content": WORDS, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{turn}", "content": WORDS},
        ]
    messages.append({"role": "user", "content": "And?"})
    return {"messages": messages, "tools": [tool("search")]}


def tool(name: str) -> JSON:
    """Return a tool with a few parameters."""
    properties = {
        each: {"type": "string", "description": WORDS, "minLength": 1}
        for each in ("q", "language", "country", "since")
    }
    schema = {"type": "object", "properties": properties, "required": ["q"]}
    function = {"name": name, "description": WORDS, "parameters": schema}
    return {"type": "function", "function": function}


def tools(scale: int) -> JSON:
    """Return a request with 12 tools, or 50 or so."""
    offered = [tool(f"tool_{number}") for number in range(12 * scale)]
    return {"messages": [{"role": "user", "content": "Go."}], "tools": offered}


def image(scale: int) -> JSON:
    """Return a request with an image of 1.25 MB, or of 5."""
    data = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4_900 * scale
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    part = {"type": "image_url", "image_url": {"url": url}}
    return {"messages": [{"role": "user", "content": [part]}]}


REQUESTS = {"chat": chat, "history": history, "tools": tools, "image": image}


def rendering(name: str, target: str, make: Callable[[int], JSON]) -> Job:
    """Return the job of decoding, translating and encoding a request."""
    kind, model = TARGETS[target]
    translator = TRANSLATORS[kind]
    route = Route("alias", model, region="us-east-1")
    texts = [json.dumps({"model": "alias", **make(s)}).encode() for s in (1, GROWTH)]

    def run(text: bytes) -> Callable[[], Any]:
        return lambda: jsontext.encode(
            translator.render_request(jsontext.decode(text), route).body
        )

    small, large = texts
    return Job(f"request: {name}", (len(small), len(large)), (run(small), run(large)))


def checking(name: str, make: Callable[[int], JSON]) -> Job:
    """Return the job of reading a request's body, with all that is checked of it."""
    texts = [json.dumps({"model": "alias", **make(s)}).encode() for s in (1, GROWTH)]
    small, large = texts
    runs = (lambda: bodies.read(small), lambda: bodies.read(large))
    return Job(f"body: {name}", (len(small), len(large)), runs)


# --- streams --------------------------------------------------------------------------


def openai_stream(count: int) -> bytes:
    """Return OpenAI's stream of `count` pieces of text."""
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = [{"content": f"word{number} "} for number in range(count)]
    choices: list[JSON] = [{"index": 0, "delta": delta} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    events = [{**chunk, "choices": [choice]} for choice in choices]
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return (text + "data: [DONE]\n\n").encode()


def claude_events(count: int) -> list[JSON]:
    """Return Claude's events for `count` pieces of text."""
    message = {"id": "m", "role": "assistant", "content": [], "usage": {}}
    block = {"type": "text", "text": ""}
    start = {"type": "content_block_start", "index": 0, "content_block": block}
    events: list[JSON] = [{"type": "message_start", "message": message}, start]
    for number in range(count):
        delta = {"type": "text_delta", "text": f"word{number} "}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    end = {"stop_reason": "end_turn"}
    last = {"type": "message_delta", "delta": end, "usage": {"output_tokens": count}}
    stop = {"type": "content_block_stop", "index": 0}
    return [*events, stop, last, {"type": "message_stop"}]


def anthropic_stream(count: int) -> bytes:
    """Return Anthropic's stream."""
    events = claude_events(count)
    text = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
    return text.encode()


def bedrock_stream(count: int) -> bytes:
    """Return InvokeModel's stream of Claude."""
    return stream_bytes([{"chunk": event} for event in claude_events(count)])


def converse_stream(count: int) -> bytes:
    """Return Converse's stream."""
    events: list[JSON] = [{"messageStart": {"role": "assistant"}}]
    for number in range(count):
        delta = {"contentBlockIndex": 0, "delta": {"text": f"word{number} "}}
        events.append({"contentBlockDelta": delta})
    usage = {"inputTokens": 1, "outputTokens": count, "totalTokens": count + 1}
    events += [{"messageStop": {"stopReason": "end_turn"}}]
    return stream_bytes([*events, {"metadata": {"usage": usage}}])


def ollama_stream(count: int) -> bytes:
    """Return Ollama's stream."""
    lines: list[JSON] = [
        {"message": {"role": "assistant", "content": f"word{n} "}, "done": False}
        for n in range(count)
    ]
    lines.append({"message": {"content": ""}, "done": True, "done_reason": "stop"})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


STREAMS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "openai": ("", openai_stream),
    "anthropic": ("", anthropic_stream),
    "bedrock claude": ("claude", bedrock_stream),
    "converse": ("converse", converse_stream),
    "ollama": ("", ollama_stream),
}


RELAYED: dict[str, str] = {
    "anthropic": "messages",
    "bedrock claude": "messages",
    "converse": "messages by converse",
}
"""Which way of the Messages API's door past the hub is taken, by its wire."""

ASKED = Asked("alias", True, {"messages": []})


def streaming(target: str, piece: int, door: str = "chat") -> Job:
    """Return the job of translating and encoding a stream, read `piece` by piece."""
    wire, make = STREAMS[target]
    wire = wire if door == "chat" else RELAYED[target]
    passage = between(DOORS[door], TRANSLATORS[TARGETS[target][0]])
    reply = Reply("alias", stream=True, wire=wire, upstream_model="upstream")
    counts = (200, 200 * GROWTH)

    def run(data: bytes) -> Callable[[], Any]:
        parts = [data[at : at + piece] for at in range(0, len(data), piece)]

        def once() -> None:
            reader = passage.reader(reply, ASKED)
            for part in parts:
                reader.feed(part)
            if not reader.state.done:
                raise RuntimeError(f"{target}: the stream did not end")

        return once

    small, large = map(make, counts)
    name = "stream: chunk by chunk" if piece < 1000 else "stream: in bursts"
    name += "" if door == "chat" else f" ({door})"
    return Job(name, (len(small), len(large)), (run(small), run(large)), counts)


# --- measuring ------------------------------------------------------------------------


def jobs(target: str) -> Iterator[Job]:
    """Yield what there is to measure of one translator."""
    for name, make in REQUESTS.items():
        yield rendering(name, target, make)
    if target in STREAMS:
        yield streaming(target, 200)
        yield streaming(target, 16_384)
    if target in RELAYED:
        yield streaming(target, 200, "messages")
        yield streaming(target, 16_384, "messages")


def microseconds(run: Callable[[], Any], seconds: float) -> float:
    """Return the best time of one run; whatever else the machine does only adds."""
    run()
    best, deadline = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return best * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.2)
    options = parser.parse_args()
    print("| translator | job | µs | µs, 4 x | per chunk | per KB | per KB, 4 x | x |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    read = [checking(name, make) for name, make in REQUESTS.items()]
    for target in ("any", *TARGETS):
        for job in jobs(target) if target in TARGETS else read:
            one, four = (microseconds(run, options.seconds) for run in job.runs)
            per_kb = [t / s * 1024 for t, s in zip((one, four), job.sizes, strict=True)]
            piece = f"{four / job.pieces[1]:.2f}" if job.pieces[1] > 1 else ""
            print(
                f"| {target} | {job.name} | {one:.0f} | {four:.0f} | {piece} | "
                f"{per_kb[0]:.2f} | {per_kb[1]:.2f} | {per_kb[1] / per_kb[0]:.2f} |"
            )


if __name__ == "__main__":
    main()

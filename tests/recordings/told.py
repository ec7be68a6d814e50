"""What a recorded answer of Claude, Bedrock or Ollama says, in one form for all."""

import json
from typing import NamedTuple

from tests.recordings import bedrock, claude, ollama
from tests.recordings.traffic import JSON


class Told(NamedTuple):
    """An answer; `calls` are names and arguments, `usage` what went in and came out."""

    text: str
    reasoning: str
    calls: list[tuple[str, JSON]]
    finish: str
    usage: tuple[int, int] | None


def told_by(record: JSON) -> Told:
    """Read a recorded answer with status 200."""
    return _READERS[record["provider"]](record)


def told_in(completion: JSON) -> Told:
    """Read a chat completion."""
    (choice,) = completion["choices"]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    usage = completion.get("usage")
    return Told(
        message.get("content") or "",
        message.get("reasoning_content") or "",
        [(call["name"], json.loads(call["arguments"])) for call in calls],
        choice["finish_reason"],
        usage and (usage["prompt_tokens"], usage["completion_tokens"]),
    )


def is_stream(record: JSON) -> bool:
    """Say whether a recorded answer was streamed."""
    if record["provider"] == "ollama":
        return len(ollama.lines(record)) > 1
    return "sse" in record["tags"] or record["operation"].endswith("-stream")


def _claude(record: JSON) -> Told:
    message = claude.message_of(record)
    blocks = message["content"]
    calls = [(b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"]
    finish = claude.FINISH_REASONS[message["stop_reason"]]
    usage = message["usage"]
    cached = ("cache_read_input_tokens", "cache_creation_input_tokens")
    prompt = usage["input_tokens"] + sum(usage.get(name) or 0 for name in cached)
    return Told(
        "".join(b["text"] for b in blocks if b["type"] == "text"),
        "".join(b["thinking"] for b in blocks if b["type"] == "thinking"),
        calls,
        "stop" if finish == "tool_calls" and not calls else finish,
        (prompt, usage["output_tokens"]),
    )


def _bedrock(record: JSON) -> Told:
    read = bedrock.read_stream if is_stream(record) else bedrock.read_whole
    reading = read(record)
    usage = None
    if reading.prompt is not None and reading.output is not None:
        usage = (reading.prompt, reading.output)
    return Told(
        reading.text,
        reading.reasoning,
        reading.calls,
        bedrock.finish_of(reading),
        usage,
    )


def _ollama(record: JSON) -> Told:
    said = ollama.told(ollama.lines(record))
    usage = said["usage"]
    return Told(
        said["content"],
        said["reasoning"],
        said["calls"],
        said["finish"],
        (usage["prompt_tokens"], usage["completion_tokens"]),
    )


_READERS = {"anthropic": _claude, "bedrock": _bedrock, "ollama": _ollama}

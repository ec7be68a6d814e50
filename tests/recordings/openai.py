"""What OpenAI, Azure and compatible servers answered."""

import json
from collections.abc import Iterator

from tests.recordings.traffic import JSON, records

FILES = ("openai", "openai_azure", "openai_compatible", "ollama")

RENAMED_REASONS = {"eos": "stop", "max_tokens": "length"}
"""Words that no OpenAI client knows, and what must leave instead."""


def chats() -> list[JSON]:
    """Return the records of chat completions, Ollama's own among them."""
    return [
        record
        for name in FILES
        for record in records(name)
        if record["operation"].endswith("chat.completions")
    ]


def is_stream(record: JSON) -> bool:
    """Say whether an answer is a stream, whatever its content type says."""
    text: str = record["response"]["body_text"]
    return text.lstrip().startswith(("data:", ":", "event:"))


def events(record: JSON) -> list[JSON]:
    """Return the chunks of a stream."""
    lines = record["response"]["body_text"].splitlines()
    texts = [line[5:].strip() for line in lines if line.startswith("data:")]
    return [json.loads(text) for text in texts if text not in ("", "[DONE]")]


def chunks_of(record: JSON) -> list[JSON]:
    """Return what an answer says as chunks, those of a whole answer being one."""
    if is_stream(record):
        return [event for event in events(record) if "error" not in event]
    return as_chunks(json.loads(record["response"]["body_text"]))


def as_chunks(completion: JSON) -> list[JSON]:
    """Return a whole answer as one chunk."""
    choices = []
    for choice in completion["choices"]:
        reason = choice.get("finish_reason") or choice["finish_details"]["type"]
        choices.append({**choice, "delta": choice["message"], "finish_reason": reason})
    return [{**completion, "choices": choices}]


def told(chunks: list[JSON]) -> JSON:
    """Return what a stream says, choice by choice."""
    said: JSON = {"choices": {}, "usage": None}
    for chunk in chunks:
        said["usage"] = chunk.get("usage") or said["usage"]
        for choice in chunk.get("choices") or []:
            choices = said["choices"]
            mine = choices.setdefault(choice["index"], {"finish": None, "calls": {}})
            if mine["finish"] is None:
                reason = choice.get("finish_reason") or ""
                mine["finish"] = RENAMED_REASONS.get(reason, reason) or None
            for key, value in _strings(choice.get("delta") or {}):
                mine[key] = mine.get(key, "") + value
            for call in (choice.get("delta") or {}).get("tool_calls") or []:
                # The only servers here that leave the index out send calls whole.
                index = call.get("index", len(mine["calls"]))
                name, arguments = mine["calls"].get(index, ("", ""))
                name += call["function"].get("name") or ""
                arguments += call["function"].get("arguments") or ""
                mine["calls"][index] = (name, arguments)
    return said


def _strings(delta: JSON) -> Iterator[tuple[str, str]]:
    """Yield the strings of a delta, those among Mistral's parts too."""
    for key, value in delta.items():
        if isinstance(value, str) and key != "role":
            yield key, value
    parts = delta.get("content")
    for part in parts if isinstance(parts, list) else ():
        if part["type"] == "text":
            yield "content", part["text"]
        else:
            for thought in part["thinking"]:
                yield "reasoning_content", thought["text"]


def is_truncated(record: JSON) -> bool:
    """Say whether a stream ended before its answer."""
    finished = [
        choice.get("finish_reason")
        for event in events(record)
        for choice in event.get("choices") or []
    ]
    return "[DONE]" not in record["response"]["body_text"] and not any(finished)


_OWN_TERMS: dict[int, tuple[int, str | None]] = {
    401: (502, "upstream_auth_error"),
    429: (429, "rate_limit_exceeded"),
}


def refusal_of(record: JSON) -> tuple[int, str | None]:
    """Return the status and code that a client of the gateway must see."""
    status: int = record["response"]["status"]
    recorded = json.loads(record["response"]["body_text"]).get("error", {})
    code = recorded.get("code") if isinstance(recorded.get("code"), str) else None
    if code and code.isdigit():
        code = None
    if code == "DeploymentNotFound":
        code = "model_not_found"
    if "max context length" in recorded.get("message", ""):
        code = "context_length_exceeded"
    return _OWN_TERMS.get(status, (status, code))

"""What OpenAI, Azure and compatible servers answered."""

import json

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


def told(chunks: list[JSON]) -> JSON:
    """Return what a stream says, choice by choice."""
    said: JSON = {"choices": {}, "usage": None}
    for chunk in chunks:
        said["usage"] = chunk.get("usage") or said["usage"]
        for choice in chunk.get("choices") or []:
            choices = said["choices"]
            mine = choices.setdefault(choice["index"], {"finish": None, "calls": {}})
            if mine["finish"] is None:
                reason = choice.get("finish_reason") or None
                mine["finish"] = RENAMED_REASONS.get(reason, reason)
            for key, value in (choice.get("delta") or {}).items():
                if isinstance(value, str) and key != "role":
                    mine[key] = mine.get(key, "") + value
            for call in (choice.get("delta") or {}).get("tool_calls") or []:
                # The only servers here that leave the index out send calls whole.
                index = call.get("index", len(mine["calls"]))
                name, arguments = mine["calls"].get(index, ("", ""))
                name += call["function"].get("name") or ""
                arguments += call["function"].get("arguments") or ""
                mine["calls"][index] = (name, arguments)
    return said


def is_truncated(record: JSON) -> bool:
    """Say whether a stream ended before its answer."""
    finished = [
        choice.get("finish_reason")
        for event in events(record)
        for choice in event.get("choices") or []
    ]
    return "[DONE]" not in record["response"]["body_text"] and not any(finished)


_OWN_TERMS = {
    401: (502, "upstream_auth_error"),
    429: (429, "rate_limit_exceeded"),
}


def refusal_of(record: JSON) -> tuple[int, str | None]:
    """Return the status and code that a client of the gateway must see."""
    status = record["response"]["status"]
    recorded = json.loads(record["response"]["body_text"]).get("error", {})
    code = recorded.get("code") if isinstance(recorded.get("code"), str) else None
    if code and code.isdigit():
        code = None
    if code == "DeploymentNotFound":
        code = "model_not_found"
    if "max context length" in recorded.get("message", ""):
        code = "context_length_exceeded"
    return _OWN_TERMS.get(status, (status, code))

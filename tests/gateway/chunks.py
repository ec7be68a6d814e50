"""Frames of OpenAI's streamed chat completions, as an upstream sends them."""

import json
from typing import Any


def event(choice: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """Return one frame, with a choice or without."""
    choices = [] if choice is None else [{"index": 0, **choice}]
    chunk = {"id": "chatcmpl-c", "choices": choices, **fields}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


ROLE = event({"delta": {"role": "assistant", "content": ""}})
TEXT = event({"delta": {"content": "hel"}})
MORE = event({"delta": {"content": "lo"}})
STOP = event({"delta": {}, "finish_reason": "stop"})
USAGE = event(usage={"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11})
DONE = b"data: [DONE]\n\n"
HELLO = [ROLE, TEXT, MORE, STOP, USAGE, DONE]

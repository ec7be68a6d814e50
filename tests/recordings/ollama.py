"""What Ollama's own API answered."""

import json

from tests.recordings.traffic import JSON, records


def chats() -> list[JSON]:
    """Return the records of chats."""
    return [r for r in records("ollama") if r["operation"] == "api-chat"]


def lines(record: JSON) -> list[JSON]:
    """Return the lines of an answer; one is a whole answer."""
    return [json.loads(x) for x in record["response"]["body_text"].splitlines() if x]


def told(events: list[JSON]) -> JSON:
    """Return what the recorded lines say together."""
    messages = [event["message"] for event in events]
    calls = [call for message in messages for call in message.get("tool_calls") or []]
    last = events[-1]
    reason = "tool_calls" if calls else "stop"
    prompt, output = last.get("prompt_eval_count", 0), last.get("eval_count", 0)
    return {
        "content": "".join(message.get("content", "") for message in messages),
        "reasoning": "".join(message.get("thinking", "") for message in messages),
        "calls": [
            (call["function"]["name"], call["function"]["arguments"]) for call in calls
        ],
        "finish": "length" if last["done_reason"] == "length" else reason,
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
        },
    }

"""What Anthropic's Messages API answered."""

import json

from tests.recordings.traffic import JSON, records

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "refusal": "content_filter",
}

ERRORS: dict[str, tuple[int, str | None]] = {
    "authentication_error": (502, "upstream_auth_error"),
    "not_found_error": (404, "model_not_found"),
}


def messages() -> list[JSON]:
    """Return the records of messages."""
    return [r for r in records("anthropic") if r["operation"] == "messages"]


def message_of(record: JSON) -> JSON:
    """Return the message that a recorded stream or body adds up to, read naively."""
    text = record["response"]["body_text"]
    if "sse" not in record["tags"]:
        whole: JSON = json.loads(text)
        return whole
    message: JSON = {}
    blocks: dict[int, JSON] = {}
    for line in text.splitlines():
        if not line.startswith("data:"):
            continue
        event = json.loads(line[5:])
        kind = event["type"]
        if kind == "message_start":
            message = event["message"]
        elif kind == "content_block_start":
            blocks[event["index"]] = dict(event["content_block"], json="", cited=[])
        elif kind == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            block["json"] += delta.get("partial_json", "")
            for key in ("text", "thinking", "signature"):
                if key in delta:
                    block[key] = block.get(key, "") + delta[key]
            if "citation" in delta:
                block["cited"].append(delta["citation"])
        elif kind == "message_delta":
            message.update(event["delta"])
            message["usage"].update(event["usage"])
    for block in blocks.values():
        if block["type"] == "tool_use" and block["json"]:
            block["input"] = json.loads(block["json"])
        if block["cited"]:
            block["citations"] = block["cited"]
    message["content"] = [blocks[index] for index in sorted(blocks)]
    return message


def refusal_of(record: JSON) -> tuple[int, str | None]:
    """Return the status and code that a client of the gateway must see."""
    response = record["response"]
    error = json.loads(response["body_text"])["error"]
    if error["message"].startswith("prompt is too long"):
        return 400, "context_length_exceeded"
    return ERRORS.get(error["type"], (response["status"], None))

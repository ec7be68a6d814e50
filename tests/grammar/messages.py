"""The grammar of the Messages API's event streams, and the message they tell.

https://platform.claude.com/docs/en/build-with-claude/streaming. Every streamed answer
of the door that a test sees goes through `checked` or `message_in`.
"""

import json
import re
from typing import Any

Event = dict[str, Any]

_FRAME = re.compile(rb"event: ([a-z_]+)\ndata: ([^\n\r]*)\n\n")
_DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "redacted_thinking": set(),
}
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)


def events_in(raw: bytes) -> list[Event]:
    """Return the events of a stream, each framed by the letter."""
    events, position = [], 0
    while position < len(raw):
        frame = _FRAME.match(raw, position)
        assert frame is not None, f"no frame at {position}: {raw[position:][:80]!r}"
        event = json.loads(frame[2])
        assert event["type"] == frame[1].decode(), "the line names another event"
        events.append(event)
        position = frame.end()
    return events


def checked(raw: bytes) -> list[Event]:
    """Return the events of a stream without its pings; fails where one is misplaced.

    `ping* message_start block* message_delta message_stop`, or an `error` at the end.
    """
    events = [event for event in events_in(raw) if event["type"] != "ping"]
    kinds = [event["type"] for event in events]
    if kinds[-1:] == ["error"]:
        _check_error(events.pop())
        _check_beginning(events)
        return [*events, {"type": "error"}]
    assert kinds[:1] == ["message_start"], kinds[:3]
    assert kinds[-2:] == ["message_delta", "message_stop"], kinds[-3:]
    assert kinds.count("message_delta") == kinds.count("message_stop") == 1, kinds
    _check_beginning(events[:-2], must_be_closed=True)
    _check_end(events[-2])
    return events


def message_in(raw: bytes) -> Event:
    """Return the whole message that a stream tells, as a client puts it together."""
    events = checked(raw)
    assert events[-1]["type"] == "message_stop", "the stream failed"
    message = dict(events[0]["message"])
    content: list[Event] = []
    pieces: dict[int, str] = {}
    for event in events[1:-2]:
        match event:
            case {"type": "content_block_start", "content_block": block}:
                content.append(dict(block))
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                _add(content[index], delta, pieces, index)
    for index, text in pieces.items():
        content[index]["input"] = json.loads(text)
    delta = events[-2]
    return {**message, "content": content, **delta["delta"], "usage": delta["usage"]}


def _add(block: Event, delta: Event, pieces: dict[int, str], index: int) -> None:
    match delta:
        case {"type": "text_delta", "text": text}:
            block["text"] += text
        case {"type": "thinking_delta", "thinking": text}:
            block["thinking"] += text
        case {"type": "signature_delta", "signature": signature}:
            assert not block["signature"], "the last of two signatures would count"
            block["signature"] = signature
        case {"type": "citations_delta", "citation": citation}:
            block.setdefault("citations", []).append(citation)
        case {"type": "input_json_delta", "partial_json": text}:
            pieces[index] = pieces.get(index, "") + text


def _check_beginning(events: list[Event], *, must_be_closed: bool = False) -> None:
    """Check the start and the blocks; a stream that failed may leave one open."""
    if not events:
        return
    message = events[0]["message"]
    assert message["content"] == []
    assert message["stop_reason"] is None
    assert re.fullmatch(r"msg_[A-Za-z0-9]+", message["id"])
    assert all(type(message["usage"][name]) is int for name in _COUNTS)
    blocks, open_kind = 0, ""
    for event in events[1:]:
        kind = event["type"]
        if kind == "content_block_start":
            assert not open_kind, "two blocks are open"
            assert event["index"] == blocks
            open_kind = event["content_block"]["type"]
            blocks += 1
            continue
        assert open_kind, f"{kind} outside of a block"
        assert event["index"] == blocks - 1
        if kind == "content_block_delta":
            assert event["delta"]["type"] in _DELTAS[open_kind], event
            continue
        assert kind == "content_block_stop", kind
        open_kind = ""
    assert not (open_kind and must_be_closed), "a block is left open"


def _check_end(event: Event) -> None:
    assert isinstance(event["delta"]["stop_reason"], str)
    assert "stop_sequence" in event["delta"]
    assert all(type(event["usage"][name]) is int for name in _COUNTS)


def _check_error(event: Event) -> None:
    assert set(event) == {"type", "error", "request_id"}
    assert set(event["error"]) >= {"type", "message"}

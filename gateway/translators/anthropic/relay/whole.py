"""A whole message, and the events that tell it to who asked for a stream.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Iterator
from typing import Any

from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.anthropic.errors import WORDS
from gateway.translators.anthropic.relay.errors import from_event
from gateway.wire.jsontext import dumps

_ENDING = ("stop_reason", "stop_sequence", "stop_details")
"""What of a message is told when it ends."""


def checked(payload: Any) -> JSON:
    """Return the message that `payload` is; raises `GatewayError` where it is none."""
    match payload:
        case {"type": "error"}:
            raise from_event(payload)
        case {"content": list()}:
            return dict(payload)
    if isinstance(payload, dict) and "error" in payload:
        raise upstream_errors.instead_of_answer(payload, WORDS)
    raise upstream_errors.no_answer("has no content")


def events_of(message: JSON) -> Iterator[JSON]:
    """Yield the events that would have told a whole message."""
    ending = {name: message[name] for name in _ENDING if name in message}
    usage = message.get("usage")
    start = {**message, "content": [], **dict.fromkeys(ending)}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(message["content"]):
        if isinstance(block, dict):
            yield from _block_events(index, block)
    # SDKs cannot do without an object here.
    counts = usage if isinstance(usage, dict) else {"output_tokens": 0}
    yield {"type": "message_delta", "delta": ending, "usage": counts}
    yield {"type": "message_stop"}


def _block_events(index: int, block: JSON) -> Iterator[JSON]:
    start, deltas = _taken_apart(block)
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _taken_apart(block: JSON) -> tuple[JSON, list[JSON]]:
    """Return how a block begins, and the pieces that follow.

    What the server's own tools gave, and what is not known yet, begins as a whole.
    """
    match block:
        case {"type": "text", "text": str(text)}:
            return _text(block, text)
        case {"type": "thinking", "thinking": str(text)}:
            deltas: list[JSON] = [{"type": "thinking_delta", "thinking": text}]
            if isinstance(signature := block.get("signature"), str):
                deltas.append({"type": "signature_delta", "signature": signature})
            return {**block, "thinking": "", "signature": ""}, deltas
        case {"type": "tool_use" | "server_tool_use" | "mcp_tool_use", "input": given}:
            piece = {"type": "input_json_delta", "partial_json": dumps(given)}
            return {**block, "input": {}}, [piece]
    return block, []


def _text(block: JSON, text: str) -> tuple[JSON, list[JSON]]:
    citations = block.get("citations")
    cited: list[JSON] = [
        {"type": "citations_delta", "citation": each}
        for each in (citations if isinstance(citations, list) else ())
    ]
    start = {**block, "text": ""}
    if cited:
        start["citations"] = []
    return start, [*cited, {"type": "text_delta", "text": text}]

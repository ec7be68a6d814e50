"""A whole message, and the events that tell it to who asked for a stream.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Iterator
from typing import Any

from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.anthropic.answers.assembly import Assembly
from gateway.translators.anthropic.answers.usage import parse_usage
from gateway.translators.anthropic.errors import WORDS
from gateway.translators.anthropic.relay.errors import from_event
from gateway.wire import sse_blocks
from gateway.wire.jsontext import JSONError, decode, dumps

_ENDING = ("stop_reason", "stop_sequence", "stop_details")
"""What of a message is told when it ends."""


_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
"""By which names the ledger knows them; others stay as they are."""

_LONGEST = 32
"""Characters of a reason that the ledger's column holds."""


def finish_reason(stop_reason: Any) -> str:
    """Return why an answer ended, in the ledger's words; empty before its end."""
    if not isinstance(stop_reason, str):
        return ""
    return _REASONS.get(stop_reason, stop_reason[:_LONGEST])


def checked(payload: Any) -> JSON:
    """Return the message that `payload` is; raises `GatewayError` where it is none."""
    if isinstance(payload, dict):
        if payload.get("type") == "error":
            raise from_event(payload)
        if isinstance(payload.get("content"), list):
            return payload
        if "error" in payload:
            raise upstream_errors.instead_of_answer(payload, WORDS)
    raise upstream_errors.no_answer("has no content")


def figures(message: JSON) -> tuple[JSON | None, str]:
    """Return a message's usage, in OpenAI's shape, and why it ended."""
    usage = message.get("usage")
    known = parse_usage(usage) if isinstance(usage, dict) and usage else None
    return known, finish_reason(message.get("stop_reason"))


def message_of(events: bytes) -> JSON:
    """Return the message that a complete stream of `events` tells."""
    message: JSON = {}
    assembly = Assembly()
    for block in sse_blocks.blocks(events):
        found, _ = sse_blocks.read(block)
        try:
            event = decode(found.data) if found else {}
            assembly.receive(event)
        except (*JSONError, LookupError, TypeError):
            raise upstream_errors.no_answer("holds an event without sense") from None
        message = _begun_or_ended(message, event)
    return {**message, "content": assembly.content() or []}


def _begun_or_ended(message: JSON, event: JSON) -> JSON:
    match event:
        case {"type": "message_start", "message": dict(start)}:
            return start
        case {"type": "message_delta", "delta": dict(delta), "usage": dict(usage)}:
            counts = message.get("usage")
            known = counts if isinstance(counts, dict) else {}
            return {**message, **delta, "usage": {**known, **usage}}
    return message


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

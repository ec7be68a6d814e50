"""A stream as one answer, for people who read what was kept of it.

Not for clients: what is not understood is left as it came.
"""

from typing import Any

from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

_WHOLE = frozenset({"response.completed", "response.incomplete", "response.failed"})
"""Events that end a streamed response, and tell it whole."""


def joined(frames: str) -> Any:
    """Return the whole answer that `frames` come to, in the format they are in.

    The frames themselves where that cannot be told.
    """
    chunks = [chunk for line in frames.splitlines() if (chunk := _chunk(line))]
    if chunks and chunks[-1].get("type") in _WHOLE:
        return chunks[-1].get("response")
    if any(chunk.get("type") == "message_start" for chunk in chunks):
        return _message(chunks)
    if chunks and all("done" in chunk for chunk in chunks):
        return _turn(chunks)
    if any("choices" in chunk for chunk in chunks):
        return _completion(chunks)
    return frames


def _completion(chunks: list[JSON]) -> JSON:
    """Return the chat completion of some chunks."""
    whole: JSON = {}
    messages: dict[int, JSON] = {}
    for chunk in chunks:
        whole |= {k: v for k, v in chunk.items() if k != "choices" and v is not None}
        for choice in chunk.get("choices") or ():
            _add_choice(messages.setdefault(choice.get("index", 0), {}), choice)
    whole["choices"] = [{"index": n, **messages[n]} for n in sorted(messages)]
    return whole


def _message(chunks: list[JSON]) -> JSON:
    """Return the message of some events, whose blocks come one after the other."""
    whole: JSON = {}
    blocks: list[JSON] = []
    for chunk in chunks:
        match chunk:
            case {"type": "message_start", "message": dict() as message}:
                whole = {**message}
            case {"type": "content_block_start", "content_block": dict() as block}:
                blocks.append({**block})
            case {"type": "content_block_delta", "delta": dict() as delta} if blocks:
                _add_delta(blocks[-1], delta)
            case {"type": "message_delta"}:
                usage = {**whole.get("usage", {}), **(chunk.get("usage") or {})}
                whole |= {**(chunk.get("delta") or {}), "usage": usage}
            case {"type": "error"}:
                whole["error"] = chunk.get("error")
    return {**whole, "content": blocks}


def _add_delta(block: JSON, delta: JSON) -> None:
    """Add a piece to a block; the input of a call stays the text that it comes as."""
    for name, value in delta.items():
        if name == "citation":
            block["citations"] = [*(block.get("citations") or ()), value]
        elif name != "type":
            name = "input" if name == "partial_json" else name
            known = block.get(name)
            block[name] = (known if isinstance(known, str) else "") + str(value)


def _turn(chunks: list[JSON]) -> JSON:
    """Return the answer of some lines, each with a piece of one message."""
    message: JSON = {}
    for chunk in chunks:
        if isinstance(piece := chunk.get("message"), dict):
            _add(message, piece)
    return {**chunks[-1], "message": message}


def _chunk(line: str) -> JSON | None:
    text = line.removeprefix("data: ")
    if not text.startswith("{"):
        return None
    try:
        chunk = jsontext.decode(text.encode())
    except jsontext.JSONError:
        return None  # The last one kept may be cut short.
    return chunk if isinstance(chunk, dict) else None


def _add_choice(whole: JSON, choice: JSON) -> None:
    message = whole.setdefault("message", {})
    for name, value in choice.items():
        if name == "delta" and isinstance(value, dict):
            _add(message, value)
        elif name not in ("index", "delta") and value is not None:
            whole[name] = value


def _add(whole: JSON, piece: JSON) -> None:
    """Add a piece: texts are put together, numbered lists by their numbers."""
    for name, value in piece.items():
        known = whole.get(name)
        if isinstance(value, str) and isinstance(known, str) and name in _TEXTS:
            whole[name] = known + value
        elif isinstance(value, list):
            whole[name] = _with_pieces(known if isinstance(known, list) else [], value)
        elif isinstance(value, dict) and isinstance(known, dict):
            _add(known, value)
        elif value is not None:
            whole[name] = value


_TEXTS = (
    "content",
    "thinking",
    "reasoning_content",
    "reasoning",
    "refusal",
    "arguments",
    "text",
)


def _with_pieces(known: list[Any], pieces: list[Any]) -> list[Any]:
    for piece in pieces:
        number = piece.get("index") if isinstance(piece, dict) else None
        if isinstance(number, int) and 0 <= number < len(known):
            _add(known[number], piece)
        else:
            known.append(piece)
    return known

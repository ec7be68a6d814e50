"""Thinking that a client sends back.

It comes in the dialects in which it went out: OpenRouter's `reasoning_details` and
LiteLLM's `thinking_blocks`.
https://openrouter.ai/docs/use-cases/reasoning-tokens
https://docs.litellm.ai/docs/reasoning_content
"""

from typing import Any, NamedTuple

from gateway.hub.protocol import JSON


class ReplayedBlock(NamedTuple):
    """One thinking block as the upstream gave it, and its place among its blocks."""

    block: JSON
    place: int | None


class Replay(NamedTuple):
    """The thinking that an assistant message brings back.

    `is_complete` is false where the message once had thinking that cannot be rebuilt:
    a text without its signature. Its blocks are then left out.
    """

    blocks: list[ReplayedBlock]
    is_complete: bool


NO_REPLAY = Replay([], True)

_FIELDS = frozenset(
    {"thinking_blocks", "reasoning_details", "reasoning_content", "reasoning"}
)
"""Fields of a message that hold thinking."""


def replay_of(message: JSON) -> Replay:
    """Return the thinking blocks of an assistant message, byte for byte.

    A block without a signature cannot be sent to Claude at all, and sending the others
    alone would be a changed turn: so one such block drops those of its message.
    """
    if _FIELDS.isdisjoint(message):
        return NO_REPLAY
    entries = message.get("thinking_blocks") or message.get("reasoning_details")
    if not entries:
        text = message.get("reasoning_content") or message.get("reasoning")
        return Replay([], False) if text else NO_REPLAY
    if not isinstance(entries, list):
        return Replay([], False)
    blocks: list[ReplayedBlock] = []
    for entry in entries:
        block = _block_of(entry)
        if block is None:
            return Replay([], False)
        blocks.append(ReplayedBlock(block, _place_of(entry)))
    return Replay(blocks, True)


def _block_of(entry: Any) -> JSON | None:
    match entry:
        case {"type": "thinking", "thinking": str(text), "signature": str(signature)}:
            pass
        case {"type": "reasoning.text", "text": str(text), "signature": str(signature)}:
            pass
        case {"type": "redacted_thinking" | "reasoning.encrypted", "data": str(data)}:
            return {"type": "redacted_thinking", "data": data} if data else None
        case _:
            return None
    if not signature:
        return None
    return {"type": "thinking", "thinking": text, "signature": signature}


def _place_of(entry: JSON) -> int | None:
    # Streamed entries number themselves densely and keep their place beside it.
    place = entry.get("block_index", entry.get("index"))
    return place if isinstance(place, int) and not isinstance(place, bool) else None


def in_order(blocks: list[ReplayedBlock], others: list[JSON]) -> list[JSON]:
    """Return thinking and other blocks of one turn in the order they were given in.

    Thinking comes first unless its indexes say otherwise: interleaved thinking stands
    between tool calls, and the other blocks take the places that it leaves.
    """
    if not blocks:
        return others
    placed = {each.place: each.block for each in blocks if each.place is not None}
    if len(placed) < len(blocks):
        return [*(each.block for each in blocks), *others]
    ordered: list[JSON] = []
    rest = iter(others)
    position = 0
    while placed:
        block = placed.pop(position, None)
        if block is None:
            block = next(rest, None)
        if block is None:
            ordered.extend(placed[place] for place in sorted(placed))
            break
        ordered.append(block)
        position += 1
    return [*ordered, *rest]

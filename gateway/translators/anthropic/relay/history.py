"""What an earlier turn may hold that no Claude has written.

Answers of other models come as thinking without a signature, and as citations without
what Claude needs to see them again. It refuses both: "Invalid `signature`".
https://platform.claude.com/docs/en/build-with-claude/thinking
"""

from operator import itemgetter
from typing import Any

from gateway.hub.protocol import JSON

NO_ANSWER = "(no answer)"

_INDEX = "encrypted_index"
_content = itemgetter("content")


def acceptable(messages: list[Any]) -> list[Any]:
    """Return messages as Claude takes them; `messages` itself where all are its own."""
    if _are_plain(messages):
        return messages
    return _accepted(messages)


def _are_plain(messages: list[Any]) -> bool:
    """Tell whether no turn holds anything that others than Claude may have written.

    Of 120 turns that is seen in 15 µs; to look at each for what to change takes 140.
    """
    try:
        if list not in set(map(type, map(_content, messages))):
            # Texts alone: none is looked at.
            return True
    except (LookupError, TypeError):  # One is no message.
        pass
    for turn in messages:
        if type(turn) is not dict or turn.get("role") != "assistant":
            continue
        blocks = turn.get("content")
        for block in blocks if type(blocks) is list else ():
            if type(block) is dict and (
                "citations" in block
                or (block.get("type") == "thinking" and not block.get("signature"))
            ):
                return False
    return True


def _accepted(messages: list[Any]) -> list[Any]:
    turns = list(map(_turn, messages))
    same = all(new is old for new, old in zip(turns, messages, strict=True))
    return messages if same else turns


def is_signed(messages: list[Any]) -> bool:
    """Tell whether Claude has thought in earlier turns, which is for it alone."""
    return any(
        isinstance(block, dict)
        and (block.get("type") == "redacted_thinking" or block.get("signature"))
        for turn in messages
        if isinstance(turn, dict) and isinstance(turn.get("content"), list)
        for block in turn["content"]
    )


def _turn(turn: Any) -> Any:
    match turn:
        case {"role": "assistant", "content": list(blocks)}:
            kept = [_block(each) for each in blocks if not _is_foreign(each)]
            if len(kept) == len(blocks) and all(map(_same, kept, blocks)):
                return turn
            return {**turn, "content": kept or [{"type": "text", "text": NO_ANSWER}]}
    return turn


def _same(one: Any, other: Any) -> bool:
    return one is other


def _is_foreign(block: Any) -> bool:
    match block:
        case {"type": "thinking"}:
            return not block.get("signature")
    return False


def _block(block: Any) -> Any:
    """Return a block without the citations that have nothing to be seen again by."""
    match block:
        case {"type": "text", "citations": list(citations)}:
            own = [each for each in citations if not _is_unseen(each)]
            if len(own) == len(citations):
                return block
            rest: JSON = {key: block[key] for key in block if key != "citations"}
            return {**rest, "citations": own} if own else rest
    return block


def _is_unseen(citation: Any) -> bool:
    return isinstance(citation, dict) and citation.get(_INDEX) == ""

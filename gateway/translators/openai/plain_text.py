"""How OpenAI's streams write plain text: a `PlainFormat`.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from collections.abc import Sequence

from gateway.hub.answers.plain.frames import is_plain, with_text
from gateway.hub.protocol import JSON

HEAD = b"data: "
# Some servers put a space behind the colon.
MARKS: Sequence[bytes] = (b'"content":"', b'"content": "')
NAMES: Sequence[str] = ("content", "obfuscation")
TELLS_EMPTY = True


def part_of(payload: JSON, chunk: JSON) -> int | None:
    """Return the choice that a plain payload adds to, else None."""
    if payload.get("usage") is not None or not is_plain(payload):
        return None
    index: int = chunk["choices"][0]["index"]
    return index


def filled(payload: JSON, strings: Sequence[str]) -> JSON:
    """Return a plain payload with another text, and other padding where it has some."""
    given = with_text(payload, strings[0])
    return given if len(strings) == 1 else {**given, "obfuscation": strings[1]}

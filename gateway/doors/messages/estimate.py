"""How many tokens a request comes to, about, where nobody can be asked.

Rather too many than too few: a client that reckons with too few runs into the model's
limit. https://platform.claude.com/docs/en/build-with-claude/token-counting
"""

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any

from gateway.wire.jsontext import JSON, dumps

PROSE = 3.5
CODE = 3.0
"""Characters a token; of other scripts than Latin each is one."""

MESSAGE, TOOL, TOOLS = 5, 8, 300
IMAGE, PAGE, DOCUMENT = 1600, 2000, 3000

_PAGES = re.compile(rb"/Type\s*/Page(?![a-z])")
_PDF_READ = 8 * 1024 * 1024
_PIXELS_A_TOKEN = 750

_ENCODED = frozenset({"data", "signature", "encrypted_content", "encrypted_index"})
"""Fields that no model reads as text."""


def estimated(body: JSON) -> int:
    """Return about how many tokens the prompt of a request has; never raises."""
    tools = [tool for tool in _list(body.get("tools")) if isinstance(tool, dict)]
    total = _content(body.get("system"))
    for message in _list(body.get("messages")):
        if isinstance(message, dict):
            total += MESSAGE + _content(message.get("content"))
    if tools:
        total += TOOLS + sum(TOOL + _values(tool.values(), CODE) for tool in tools)
    return max(1, round(total))


def tokens(text: str, characters: float = PROSE) -> float:
    """Return about how many tokens a text has."""
    if text.isascii():
        return len(text) / characters
    latin = len(text.encode("ascii", "ignore"))
    return latin / characters + len(text) - latin


def _content(content: Any) -> float:
    if isinstance(content, str):
        return tokens(content)
    return sum(_block(block) for block in _list(content) if isinstance(block, dict))


def _block(block: JSON) -> float:
    match block:
        case {"type": "text", "text": str(text)}:
            return tokens(text)
        case {"type": "image", "source": dict(source)}:
            return _image(source)
        case {"type": "document", "source": dict(source)}:
            return _document(source)
        case {"type": "tool_use", "name": str(name)}:
            return TOOL + tokens(name) + tokens(dumps(block.get("input")), CODE)
        case {"type": "tool_result", "content": str(text)}:
            return TOOL + tokens(text, CODE)
        case {"type": "tool_result"}:
            return TOOL + _content(block.get("content"))
        case {"type": "thinking", "thinking": str(text)}:
            return tokens(text)
    return _values(block.values(), CODE)


def _values(values: Iterable[Any], characters: float) -> float:
    """Return the tokens of what is read as JSON, whatever it is."""
    total = 0.0
    for value in values:
        match value:
            case str():
                total += tokens(value, characters)
            case dict():
                kept = {key: value[key] for key in value if key not in _ENCODED}
                total += tokens(dumps(kept), characters)
            case list():
                total += tokens(dumps(value), characters)
    return total


def _image(source: JSON) -> float:
    """Return an image's tokens: by its size where its first bytes tell it."""
    data = source.get("data")
    if not isinstance(data, str):
        return IMAGE
    try:
        size = _size(b64decode(data[:64]))
    except ValueError:
        return IMAGE
    return min(IMAGE, size / _PIXELS_A_TOKEN) if size else IMAGE


def _size(head: bytes) -> int:
    """Return how many pixels an image has; 0 where its head does not tell."""
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return int.from_bytes(head[16:20]) * int.from_bytes(head[20:24])
    if head.startswith(b"GIF8") and len(head) >= 10:
        width, height = head[6:8], head[8:10]
        return int.from_bytes(width, "little") * int.from_bytes(height, "little")
    return 0


def _document(source: JSON) -> float:
    data = source.get("data")
    if source.get("type") == "text" and isinstance(data, str):
        return tokens(data)
    if source.get("type") == "content":
        return _content(source.get("content"))
    if not isinstance(data, str) or len(data) > _PDF_READ:
        return DOCUMENT
    try:
        pages = len(_PAGES.findall(b64decode(data)))
    except ValueError:
        return DOCUMENT
    return PAGE * pages or DOCUMENT


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

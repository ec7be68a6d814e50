"""Ids of tool calls as Bedrock's models want them.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
"""

import re
from hashlib import sha256

from gateway.hub.requests.tools.ids import plain_id

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_is_mistral_id = re.compile(r"[a-zA-Z0-9]{9}").fullmatch


def converse_id(id: str) -> str:
    """Return `id` as a Converse `ToolUseId`, which has 64 characters at the most."""
    return plain_id(id, 64)


def mistral_id(id: str) -> str:
    """Return `id` as Mistral's chat format wants it: nine letters or digits."""
    if _is_mistral_id(id):
        return id
    number = int.from_bytes(sha256(id.encode()).digest(), "big")
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))[:9]

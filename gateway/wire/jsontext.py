"""JSON text to values and back, strictly and fast.

msgspec refuses what RFC 8259 does not allow (NaN, Infinity, overflowing numbers, lone
surrogates) and keeps integers of any size and the order of keys, which a gateway must.
"""

from typing import Any

import msgspec

JSON = dict[str, Any]
"""A JSON object; the one alias for it in this project."""

JSONError = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What `decode` raises on text that is not JSON."""

decode = msgspec.json.Decoder().decode
"""Bytes or text to plain Python values."""

decode_exactly = msgspec.json.Decoder(
    float_hook=lambda digits: msgspec.Raw(digits.encode())
).decode
"""The same, but that numbers with a fraction or exponent keep their digits.

They are of no use but to be encoded again.
"""

encode = msgspec.json.Encoder().encode
"""Plain Python values to compact UTF-8 bytes."""

encode_lines = msgspec.json.Encoder().encode_lines
"""A list of values to one line each; compact JSON holds no line feed of its own."""


# What encoders escape beyond what they must: PHP; Go and Java; .NET.
_ESCAPED = (
    {"/": r"\/"},
    {each: f"\\u{ord(each):04x}" for each in "<>&='"},
    {each: f"\\u{ord(each):04X}" for each in "\"'<>&+`"},
)


def spellings(text: str) -> tuple[bytes, ...]:
    """Return `text` as it stands, and as common encoders write it within JSON."""
    plain = {'"': r"\"", "\\": r"\\"}
    tables = [{}, plain, *({**plain, **more} for more in _ESCAPED)]
    written = ("".join(table.get(each, each) for each in text) for table in tables)
    return tuple(dict.fromkeys(each.encode() for each in written))


def dumps(value: Any) -> str:
    """Return `value` as compact JSON text, non-ASCII characters as they are."""
    return encode(value).decode()

"""JSON strings that are as they look: neither escapes stand in them nor quotes."""

import re

is_bare = re.compile(rb'[^"\\\x00-\x1f]++').fullmatch
"""Matches what may stand between the quotes of such a string, if it is UTF-8."""


def decoded(joined: bytes, texts: list[bytes]) -> str | None:
    """Return the text of `texts`, which `joined` are put together.

    None where one of them is no UTF-8: by itself, for together they may be.
    """
    try:
        if joined.isascii() or len(texts) == 1:
            return joined.decode()
        return "".join([text.decode() for text in texts])
    except UnicodeDecodeError:
        return None

"""Names for requests, calls and completions. They are no secrets: keys are made
elsewhere (providers/keys.py)."""

import os
import random
import string
import time

_LETTERS = (string.ascii_letters + string.digits).encode()
# 256 is no multiple of 62: the first eight letters come up slightly more often, which
# a name can afford and a key could not.
_TABLE = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))


_AT_ONCE = 64
"""Ends of ordered tokens that are made together: 0.3 µs each instead of 0.9."""
_ends: dict[int, list[str]] = {}
"""Those that are left, by their length."""
# Two processes must not give the same names.
os.register_at_fork(after_in_child=_ends.clear)


def token(length: int) -> str:
    """Return `length` random letters and digits, close to 6 bits each."""
    # As random.randbytes does, which is a function in Python.
    name = random.getrandbits(8 * length).to_bytes(length)
    return name.translate(_TABLE).decode()


def ordered_token(length: int) -> str:
    """Return a token of which later ones sort behind earlier ones, to the millisecond.

    A column of them grows at the end of its index, where a random one would touch a
    page of its own for each row. `length` is more than 11.
    """
    ends = _ends.get(length) or _more_ends(length)
    return f"{time.time_ns() // 1_000_000:011x}{ends.pop()}"


def _more_ends(length: int) -> list[str]:
    size = length - 11
    letters = token(size * _AT_ONCE)
    ends = [letters[at : at + size] for at in range(0, len(letters), size)]
    _ends[length] = ends
    return ends

"""Random names for requests, calls and completions."""

import os
import string

_LETTERS = (string.ascii_letters + string.digits).encode()
# 256 is no multiple of 62: the first eight letters come up slightly more often, which
# a name can afford and a key could not.
_TABLE = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))


def token(length: int) -> str:
    """Return `length` random letters and digits, close to 6 bits each."""
    return os.urandom(length).translate(_TABLE).decode()

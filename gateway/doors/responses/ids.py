"""Ids of a response and of its items.

``<prefix>_g1<token><ordinal>``: one token of 22 characters for each response, and for
its items their place in it. Ids like these are known again when a client sends them.
"""

_TOKEN_LENGTH = 22
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

OWN = "g1"
"""Begins what this gateway gave out: ids here, and sealed reasoning."""


class Ids:
    """The ids of one response; `seed` is an id of the answer that nobody can guess."""

    def __init__(self, seed: str) -> None:
        self._token = OWN + seed.rpartition("-")[2][:_TOKEN_LENGTH]
        self._items = 0

    @property
    def response(self) -> str:
        """The response's own id."""
        return f"resp_{self._token}"

    def take(self, prefix: str) -> str:
        """Return the id of the next item."""
        ordinal, self._items = self._items, self._items + 1
        digits = _DIGITS[ordinal] if ordinal < len(_DIGITS) else _base36(ordinal)
        return f"{prefix}_{self._token}{digits}"


def _base36(number: int) -> str:
    digits = _DIGITS[number % 36]
    while number := number // 36:
        digits = _DIGITS[number % 36] + digits
    return digits

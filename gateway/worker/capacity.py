"""How much one worker takes on at once: calls (to a provider, by a key), and bytes.

A call that finds no place is refused at once, before anything is spent on it, so that
health, console and the calls that run stay quick. Counted in this process.
"""

import ctypes

import msgspec

from gateway.errors import GatewayError
from gateway.worker.call_settings import call_settings
from gateway.worker.snapshot import Caller

LARGE_BYTES = 4 * 1024 * 1024


Place = str | tuple[str, str]
"""A provider's name, or a caller's with the hint of its key."""


class Held(msgspec.Struct):
    """What one request takes of a worker, and bytes that came with it.

    A place among its `calls`, and `places` of a key and providers.
    """

    calls: int = 0
    places: list[Place] = []
    bytes: int = 0


class Capacity:
    """The places of one worker, and the bytes that requests may bring in at once.

    A request keeps what it `held`; `leave` gives it back.
    """

    def __init__(self) -> None:
        self.calls_open = 0
        self.bytes_held = 0
        self._most_held = 0
        self._taken: dict[Place, int] = {}

    def hold(self, held: Held, size: int) -> None:
        """Make room for `size` more bytes of a request; raises GatewayError."""
        bytes_held = self.bytes_held + size
        if bytes_held > call_settings.BYTES_PER_WORKER:
            raise _overloaded("The gateway holds as many bytes as it can take.")
        self.bytes_held = bytes_held
        held.bytes += size
        if bytes_held > self._most_held:
            self._most_held = bytes_held

    def has_emptied(self) -> bool:
        """Tell, once, that much was held a while ago and most of it is gone."""
        if max(LARGE_BYTES, 2 * self.bytes_held) > self._most_held:
            return False
        self._most_held = self.bytes_held
        return True

    def enter(self, held: Held, caller: Caller) -> None:
        """Take a place in the worker and one of the caller's; raises GatewayError."""
        if self.calls_open >= call_settings.CALLS_PER_WORKER:
            raise _overloaded("The gateway has as many calls open as it can take.")
        self.calls_open += 1
        held.calls += 1
        # Keyless callers have no key that could be told apart; the worker's cap holds.
        if not caller.hint:
            return
        if not self._take(
            held, (caller.name, caller.hint), call_settings.CALLS_PER_KEY
        ):
            raise GatewayError(
                429,
                "rate_limit_error",
                f"This key has {call_settings.CALLS_PER_KEY} calls open, which is this "
                "gateway's limit. Wait for one to end, or use a second key.",
                code="rate_limit_exceeded",
                headers={"retry-after": "2"},
            )

    def enter_provider(self, held: Held, provider: str) -> None:
        """Take one of the provider's places; raises GatewayError."""
        if not self._take(held, provider, call_settings.CALLS_PER_PROVIDER):
            raise _overloaded(
                f"The gateway has {call_settings.CALLS_PER_PROVIDER} calls open to the "
                f"provider {provider}, which is its limit."
            )

    def leave(self, held: Held) -> None:
        """Give back every place and every byte that was taken."""
        taken = self._taken
        for place in held.places:
            left = taken[place] - 1
            if left:
                taken[place] = left
            else:
                del taken[place]
        self.calls_open -= held.calls
        self.bytes_held -= held.bytes
        held.calls = held.bytes = 0
        held.places.clear()

    def _take(self, held: Held, place: Place, limit: int) -> bool:
        taken = self._taken.get(place, 0)
        if taken >= limit:
            return False
        self._taken[place] = taken + 1
        held.places.append(place)
        return True


def give_memory_back() -> None:
    """Give the system what malloc keeps of bodies that are gone, where it can (GNU).

    Something small that came to lie behind them would have it keep all: 17 MB after
    some hundred bodies of 1 MB. Takes 1 to 2 ms (blocking).
    https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _overloaded(message: str) -> GatewayError:
    return GatewayError(
        503,
        "server_error",
        f"{message} Try again shortly.",
        code="overloaded",
        headers={"retry-after": "2"},
    )


capacity = Capacity()
"""This worker's."""

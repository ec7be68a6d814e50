"""How much one worker takes on at once: calls in all, to a provider and by a key.

A call that finds no place is refused at once, before anything is spent on it, so that
health, console and the calls that run stay quick. Counted in this process.
"""

from gateway.errors import GatewayError
from gateway.worker.call_settings import call_settings
from gateway.worker.snapshot import Caller


class Capacity:
    """The places of one worker.

    A request keeps the list of the places it `held`; `leave` gives them back.
    """

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def enter(self, held: list[str], caller: Caller) -> None:
        """Take a place in the worker and one of the caller's; raises GatewayError."""
        if not self._take(held, "", call_settings.CALLS_PER_WORKER):
            raise _overloaded("The gateway has as many calls open as it can take.")
        # Keyless callers have no key that could be told apart; the worker's cap holds.
        name = f"key {caller.name} {caller.hint}"
        if caller.hint and not self._take(held, name, call_settings.CALLS_PER_KEY):
            raise GatewayError(
                429,
                "rate_limit_error",
                f"This key has {call_settings.CALLS_PER_KEY} calls open, which is this "
                "gateway's limit. Wait for one to end, or use a second key.",
                code="rate_limit_exceeded",
                headers={"retry-after": "2"},
            )

    def enter_provider(self, held: list[str], provider: str) -> None:
        """Take one of the provider's places; raises GatewayError."""
        if not self._take(held, f"to {provider}", call_settings.CALLS_PER_PROVIDER):
            raise _overloaded(
                f"The gateway has {call_settings.CALLS_PER_PROVIDER} calls open to the "
                f"provider {provider}, which is its limit."
            )

    def leave(self, held: list[str]) -> None:
        """Give every place back that was taken."""
        for name in held:
            left = self._taken.pop(name) - 1
            if left:
                self._taken[name] = left
        held.clear()

    def _take(self, held: list[str], name: str, limit: int) -> bool:
        taken = self._taken.get(name, 0)
        if taken >= limit:
            return False
        self._taken[name] = taken + 1
        held.append(name)
        return True


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

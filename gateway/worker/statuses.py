"""What real traffic says of the providers, kept until it is stored.

A call must not wait for the database, so it leaves its finding here, and a chore of the
worker stores what was found.
"""

from gateway.worker.snapshot import Target
from providers import status


class Statuses:
    """New statuses by provider; the newest stands."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[str, str]] = {}

    def note(self, target: Target, kind: str, message: str = "") -> None:
        """Note an outcome of real traffic, which may change a provider's status.

        `kind` is one that `providers.status.observer` knows; `message` says why.
        """
        id = target.provider.row.id
        changed = status.observer.observe(id, kind, target.upstream_id)
        if changed is not None:
            self._found[id] = (changed, message)

    def answered(self, target: Target) -> None:
        """Note that a call was answered, as `note` does."""
        if not status.observer.took_answer(target.provider.row.id):
            self.note(target, "ok")

    async def store(self) -> None:
        """Store what was found; what the database did not take is kept."""
        for provider_id in list(self._found):
            found, message = self._found[provider_id]
            await status.store(provider_id, found, message)
            self._found.pop(provider_id, None)


statuses = Statuses()
"""This worker's."""

"""The model's name in what is passed on: the client reads the one that it used."""

from gateway.hub.protocol import JSON
from gateway.values import Value
from gateway.wire.jsontext import encode
from gateway.wire.members import Members
from gateway.wire.spans import replaced, value_span


class Names(Value, frozen=True):
    """What the client calls the model, and what the upstream does."""

    asked: str
    upstream: str

    def given(self, told: object) -> str | None:
        """Return the name to put in place of the one that was `told`, None to keep it.

        Who asks by the upstream's own name sees which snapshot of it answered.
        """
        if self.asked == self.upstream or not isinstance(told, str):
            return None
        return self.asked if told.startswith(self.upstream) else None

    def for_upstream(
        self, raw: bytes, body: JSON, members: Members | None = None
    ) -> bytes:
        """Return a request, `body` as it came in `raw`, with the upstream's name.

        `members` tells where its values stand, where that is known.
        """
        if body.get("model") == self.upstream:
            return raw
        if members is not None and "model" in members:
            return replaced(raw, members["model"], encode(self.upstream))
        return _put(raw, self.upstream, depth=1)

    def for_client(self, raw: bytes, message: JSON) -> bytes:
        """Return a whole answer, `message` as it came in `raw`, with the asked name."""
        name = self.given(message.get("model"))
        return raw if name is None else _put(raw, name, depth=1)

    def in_start(self, event: bytes, message: object) -> bytes:
        """Return a `message_start`, framed or not, with the asked name."""
        told = message.get("model") if isinstance(message, dict) else None
        name = self.given(told)
        return event if name is None else _put(event, name, depth=2)


def _put(text: bytes, name: str, depth: int) -> bytes:
    span = value_span(text, "model", depth)
    return text if span is None else replaced(text, span, encode(name))

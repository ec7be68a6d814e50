"""The model's name in what is passed on: the client reads the one that it used."""

import re
from collections.abc import Callable
from functools import lru_cache

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
        told = body.get("model")
        if told == self.upstream:
            return raw
        if members is not None and "model" in members:
            return replaced(raw, members["model"], encode(self.upstream))
        return _put(raw, told, self.upstream, depth=1)

    def for_client(self, raw: bytes, message: JSON) -> bytes:
        """Return a whole answer, `message` as it came in `raw`, with the asked name."""
        told = message.get("model")
        name = self.given(told)
        return raw if name is None else _put(raw, told, name, depth=1)

    def in_start(self, event: bytes, message: object) -> bytes:
        """Return a `message_start`, framed or not, with the asked name."""
        told = message.get("model") if isinstance(message, dict) else None
        name = self.given(told)
        return event if name is None else _put(event, told, name, depth=2)


_KEY, _BACKSLASH = b'"model"', b"\\"


def _put(text: bytes, told: object, name: str, depth: int) -> bytes:
    """Return `text` with another `name` where the one stands that it `told`."""
    # As nearly always the key stands there once. Whether bytes are in others is found
    # in half of the time by where they are.
    if text.count(_KEY) == 1 and text.find(b"\\u00") < 0 and isinstance(told, str):
        parts = _members(told)(text, 1)
        if len(parts) == 3 and not parts[0].endswith(_BACKSLASH):
            before, key, behind = parts
            return b"".join((before, key, encode(name), behind))
    span = value_span(text, "model", depth)
    return text if span is None else replaced(text, span, encode(name))


@lru_cache(maxsize=512)
def _members(name: str) -> Callable[[bytes, int], list[bytes]]:
    """Return what cuts a text at a name, as SDKs and servers write it by its key."""
    return re.compile(b"(%b: ?)%b" % (_KEY, re.escape(encode(name)))).split

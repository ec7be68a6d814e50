"""A plain request's body is received as gunicorn's receiver has it received."""

import asyncio
from types import SimpleNamespace
from typing import Any

from gunicorn.asgi.protocol import BodyReceiver
from hypothesis import given
from hypothesis import strategies as st

from runagents.serving.plain.bodies import Body

STEPS = st.lists(
    st.sampled_from(["receive", "complete", "disconnect", "take no more"])
    | st.binary(min_size=1, max_size=3),
    max_size=8,
)


class Connection:
    """What of a connection a receiver asks for."""

    _closed = _reading_paused = False
    cfg = SimpleNamespace(timeout=1000)

    def __init__(self) -> None:
        self.resumed = 0

    def _maybe_resume_reading(self) -> None:
        self.resumed += self._reading_paused
        self._reading_paused = False


async def played(kind: type[BodyReceiver], steps: list[Any], length: int) -> list[Any]:
    """Return what a receiver of that kind tells after each of `steps`."""
    connection = Connection()
    receiver = kind(SimpleNamespace(content_length=length, chunked=False), connection)
    waits: asyncio.Task[Any] | None = None
    told = []
    for step in steps:
        if step == "receive":
            waits = waits or asyncio.ensure_future(receiver.receive())
        elif step == "complete":
            receiver.set_complete()
        elif step == "disconnect":
            receiver.signal_disconnect()
        elif step == "take no more":
            connection._reading_paused = True
        elif not receiver._complete:
            receiver.feed(step)
        for _ in range(4):
            await asyncio.sleep(0)
        came = None
        if waits is not None and waits.done():
            came, waits = waits.result(), None
        told.append((came, receiver.buffered, receiver._complete, connection.resumed))
    if waits is not None:
        waits.cancel()
    return told


@given(STEPS, st.sampled_from([0, 5]))
def test_a_body_comes_as_gunicorn_has_it_come(steps, length):
    async def both() -> None:
        ours, theirs = [await played(k, steps, length) for k in (Body, BodyReceiver)]
        assert ours == theirs

    asyncio.run(both())

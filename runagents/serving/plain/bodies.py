"""The body of a plain request, which mostly comes in one piece with its head.

gunicorn's receiver is made for pieces of which some may be missing. Where the first is
all there is, it is handed on as it is: 90 steps of Python's interpreter instead of 200.
Whatever comes otherwise goes gunicorn's way.
"""

from collections import deque
from typing import Any

from gunicorn.asgi.protocol import BodyReceiver


class Body(BodyReceiver):  # type: ignore[misc]
    """What has come of a request's body; an application's `receive`."""

    # What is so at first, of each: gunicorn's own has places in itself for these.
    _buffered = 0
    _source = _waiter = None
    _complete = _body_finished = _closed = _body_wait_expired = expect_continue = False
    _chunks: Any = ()
    _first: bytes | None = None
    """The first piece, as long as no other has come and nobody waits."""

    def __init__(self, request: Any, protocol: Any, whole: bytes | None = None) -> None:
        """Take what is known of it already, which is all of a `whole` one."""
        self.request = request
        self.protocol = protocol
        if whole is not None:
            self._complete = True
            if whole:
                self._first = whole
                self._buffered = len(whole)

    def feed(self, chunk: bytes) -> None:
        """Take a piece."""
        if self._first is None and self._chunks == () and self._waiter is None:
            self._first = chunk
            self._buffered = len(chunk)
            return
        self._go_on_in_pieces()
        super().feed(chunk)

    def take_whole(self) -> bytes | None:
        """Take a body that is all here as one piece; None where it is not."""
        first = self._first
        if (
            first is None
            or not self._complete
            or self._closed
            or self._body_wait_expired
        ):
            return None
        self._first = None
        self._buffered = 0
        self._body_finished = True
        if self.protocol._reading_paused:
            self.protocol._maybe_resume_reading()
        return first

    async def receive(self) -> dict[str, Any]:
        """Return the next of ASGI's messages for this request."""
        if (whole := self.take_whole()) is not None:
            return {"type": "http.request", "body": whole, "more_body": False}
        self._go_on_in_pieces()
        message: dict[str, Any] = await super().receive()
        return message

    def _go_on_in_pieces(self) -> None:
        if self._chunks == ():
            self._chunks = deque()
        if self._first is not None:
            self._chunks.append(self._first)
            self._first = None

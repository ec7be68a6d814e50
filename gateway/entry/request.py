"""A request on the data plane: nothing is decoded before somebody asks for it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from gateway.doors.protocol import Asked, Door, Envelope, Sent
from gateway.entry.streamed import Write
from gateway.entry.waiting import Waiting
from gateway.ledger.spool import Entry
from gateway.worker.capacity import Held
from gateway.worker.snapshot import NOBODY, Caller

FOUND = "gateway.found"
"""Under this name a server hands a `Found` along, among an ASGI scope's extensions."""

WRITE = "gateway.write"
"""And under this one a `Write`, where it can send parts of a body without waiting."""

AT_ONCE = "gateway.at_once"
"""And under this one a `SendWhole`, where it takes an answer at once."""

TASK = "gateway.task"
"""And under this one the task that answers: to ask which one runs costs 0.6 µs."""


class SendWhole(Protocol):
    """Sends a status, headers and a body; False where ASGI's messages have to do that.

    Where the client does not take more, what is returned is to be awaited: it does
    then. `in_chunks` the answer looks like one that comes bit by bit. It is there for
    requests only whose answers have a body.
    """

    def __call__(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        in_chunks: bool = False,
    ) -> Awaitable[None] | bool: ...


BODY = "gateway.body"
"""And under this one a `TakeWhole`, where it may have the whole body already."""

TakeWhole = Callable[[], bytes | None]
"""Takes a body that is all here, as `receive` would; None where that has to be asked.

No coroutine and no message is made for it: 1.5 µs of a call."""


@dataclass(slots=True)
class Found:
    """What has been found out of a request's head, for when the same one comes again.

    Nothing in the head is another but the body's length: so neither are its method and
    path, nor what its endpoint makes of its headers. `header_lists` are shared by all
    that share the head, so nobody changes them but who reads the next one, once this
    one's request is over: in the body's length. `length_at` is where that stands among
    the headers. `key` is the digest of the key by which the caller was
    known: whose it is, the registry is asked each time. `matched` is the endpoint of
    the path and what that names, `is_json` tells that the body is labelled as it must
    be. `told` is what a door tells the ledger of the headers, by column, and which of
    them go upstream.
    """

    header_lists: dict[str, list[str]] | None = None
    length_at: int | None = None
    key: str = ""
    is_json: bool = False
    matched: tuple[Any, dict[str, str]] | None = None
    told: tuple[Envelope, Mapping[str, str], Mapping[str, str]] | None = None


SHORT = 1024
"""Bytes of a body that may as well be held while its answer is waited for."""


class Request(msgspec.Struct):
    """One request to the gateway.

    `path` has its percent-encoding undone, `method` is in capitals, `address` the
    peer's IP address or empty. `header_lists` maps lower-case names to all their
    values. `caller` is known and `body` read before a view sees it; `held` is what the
    request takes of the worker (gateway/worker/capacity.py), `entry` is its line in the
    ledger once it has become a call. `query` is what stands behind the path's "?".
    `send` is where its answer goes, `write` parts of it amid a stream and `send_whole`
    all of it at once, where the server takes them; `take_whole` takes a body that is
    here already, `task` is what answers, where the server tells. `waiting` is what
    begins a stream that is late. `is_unread` as long as nothing was taken of its body.
    `found` is what the requests with the same head before it have told.
    """

    path: str
    method: str
    address: str
    header_lists: dict[str, list[str]]
    request_id: str = ""
    caller: Caller = NOBODY
    body: bytes = b""
    held: Held = msgspec.field(default_factory=Held)
    entry: Entry | None = None
    query: str = ""
    send: Callable[[dict[str, Any]], Awaitable[None]] | None = None
    waiting: Waiting | None = None
    write: Write | None = None
    send_whole: SendWhole | None = None
    take_whole: TakeWhole | None = None
    task: asyncio.Task[Any] | None = None
    is_unread: bool = True
    found: Found | None = None
    _sent: Sent | None = None

    def sent(self) -> Sent:
        """Return what a door may know of it; asked for once its body was read."""
        if self._sent is None:
            self._sent = Sent(
                self.header_lists, self.request_id, self.caller.name, self.body
            )
        return self._sent

    def let_go(self, kept: Sent) -> None:
        """Hold the body no more: what was read of it goes on, and what is `kept`.

        A short one is held: that costs nothing, and `sent` need not be made again.
        """
        if len(self.body) <= SHORT:
            return
        self.body = b""
        is_whole = kept.headers is self.header_lists
        self._sent = kept if is_whole else None

    def wait_for(self, asked: Asked, door: Door) -> None:
        """Have the client told that its stream will come, should it come late."""
        if self.send is not None:
            self.waiting = Waiting(self.send, door, asked, self.sent())

    def header(self, name: str) -> str:
        """Return the first value of a header (lower-case name), or an empty string."""
        values = self.header_lists.get(name)
        return values[0] if values else ""

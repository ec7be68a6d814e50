"""The answers of one connection, read from its bytes: no socket, no clock.

On llhttp (by httptools), whose lenient flags stay off. An exchange over aiohttp's
protocol, message and stream objects on the same parser took 50 µs, of which 10 are the
system calls and the loop's; over this it takes 30, and 60 with 200 chunks instead of
165. What is unusual here has that reason:

- A body's pieces go from the parser into a list without a line of Python (`on_body` is
  the list's own `append`), and are joined when somebody asks for them.
- Limits count the bytes that came, not what they were: of a head until it is whole, of
  framing until a body goes on, of what waits for a slow reader.

What stands behind an answer is never taken for the next one: `keeps` is false then.
"""

from itertools import chain
from typing import Any

import httpx
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_INTERIM_ANSWERS = 8
MAX_HEADERS = 128
# Proxies put cookies and policies of many kilobytes into their answers.
LONGEST_HEADER = 32 * 1024
# All heads of one answer together, those that only announce it as well.
LONGEST_HEAD = 256 * 1024
# Chunk sizes, their extensions and trailers without a byte of the body in between.
LONGEST_FRAMING = 64 * 1024

IDLE, HEAD, BODY, DONE = range(4)
"""Nothing was asked; its head, then its body is expected; the answer is whole."""

Headers = list[tuple[bytes, bytes]]


class _Over(Exception):
    """Stops the parser behind a whole answer."""


class Answers:
    """What a connection's bytes say, one answer after the other.

    `state` is one of the above; from BODY on, `status` and `headers` are the answer's.
    `pieces` is what came of its body, `size` at most so many bytes. `keeps` tells of a
    whole answer whether another one may follow it.
    """

    __slots__ = (
        "_framing",
        "_head",
        "_interim",
        "_is_bodyless",
        "_known",
        "_line",
        "_lines",
        "_parser",
        "headers",
        "keeps",
        "on_body",
        "pieces",
        "size",
        "state",
        "status",
    )

    def __init__(self) -> None:
        self.state = IDLE
        self.status = 0
        self.headers: Headers = []
        self.pieces: list[bytes] = []
        self.size = 0
        self.keeps = True
        self.on_body = self.pieces.append
        self._lines: Headers = []
        self._parser: Any = HttpResponseParser(self)
        self._is_bodyless = False
        self._interim = self._head = self._line = self._known = self._framing = 0

    def expect(self, method: str) -> None:
        """Expect the answer to a request from now on."""
        self.state = HEAD
        self.keeps = False
        self.size = self._interim = self._head = self._line = self._framing = 0
        self._lines = []
        self._is_bodyless = method == "HEAD"

    def feed(self, data: bytes) -> None:
        """Take in what arrived; raises httpx.RemoteProtocolError."""
        size = len(data)
        if self.state == HEAD:
            self._head += size
        self.size += size
        known = len(self.pieces)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._stopped(error)
            return
        if self.state == HEAD:
            self._check_unfinished(size)
        elif self.state == BODY:
            self._count(size, known)

    def passed(self, data: bytes) -> bytes:
        """Take in what arrived amid a body, and return what it brings of that.

        As `feed` and `take` do, where nothing waits to be taken. Nothing is returned
        where more is to be known than that: it waits then.
        """
        pieces = self.pieces
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._stopped(error)
            return b""
        if self.state == BODY and pieces:
            self._framing = 0
            return pieces.pop() if len(pieces) == 1 else self.take()
        self.size += len(data)
        self._count(len(data), 0)
        return b""

    def take(self) -> bytes:
        """Return what came of the body since the last time."""
        pieces = self.pieces
        self.size = 0
        if len(pieces) == 1:
            return pieces.pop()
        data = b"".join(pieces)
        pieces.clear()
        return data

    def finish(self) -> bool:
        """Tell whether the answer is whole now that the connection has ended.

        One without a length is: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
        """
        if self.state == BODY and not any(map(_is_framing, self.headers)):
            self.state = DONE
        return self.state == DONE

    def close(self) -> None:
        """Let go of the parser, which holds on to this."""
        self._parser = None

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        """Begin an answer, where one is expected."""
        if self.state != HEAD:
            raise _Over

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a line of a head, or of the trailers, which are left aside."""
        self._lines.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Go on to the body, or to the answer that this one announces."""
        status = self._parser.get_status_code()
        lines, self._lines = self._lines, []
        if len(lines) > MAX_HEADERS or self._head > LONGEST_HEADER:
            _check(lines, self._head)
        if status < 200:
            self._announced(status, lines)
            return
        self.status, self.headers = status, lines
        self.state = BODY
        if self._is_bodyless:
            # The parser cannot be told that no body follows, nor be used again.
            self.state = DONE
            raise _Over

    def on_message_complete(self) -> None:
        """End the answer."""
        if self.state == BODY:
            self.state = DONE
            self.keeps = self._parser.should_keep_alive()

    def _announced(self, status: int, lines: Headers) -> None:
        """Take note of an interim answer, which has no body (RFC 9110, 15.2)."""
        if status == 101:
            raise httpx.RemoteProtocolError("The upstream switched protocols.")
        self._interim += 1
        if self._interim > MAX_INTERIM_ANSWERS:
            raise httpx.RemoteProtocolError("The upstream sent no final response.")
        if any(_is_framing(line) and line[1] != b"0" for line in lines):
            raise _refused("announces another one with a body")

    def _stopped(self, error: Exception) -> None:
        """Tell a surplus behind a whole answer from bytes that are none."""
        if self.state == DONE:
            self.keeps = False
            return
        cause = error.__context__
        if isinstance(cause, httpx.RemoteProtocolError):
            raise cause from None
        raise _refused("is not valid HTTP") from error

    def _count(self, size: int, known: int) -> None:
        """Count bytes of framing, in which no piece came beside those `known`.

        Raises httpx.RemoteProtocolError for too many.
        """
        if len(self.pieces) > known:
            self._framing = 0
        elif self.state == BODY:
            self._framing += size
            if self._framing > LONGEST_FRAMING:
                raise _refused("frames its body in too many bytes")

    def _check_unfinished(self, size: int) -> None:
        """Raise httpx.RemoteProtocolError for a head that grows too long.

        The parser would keep a line that does not end.
        """
        _check(self._lines, 0)
        self._line = self._line + size if len(self._lines) == self._known else 0
        self._known = len(self._lines)
        if self._head > LONGEST_HEAD or self._line > LONGEST_HEADER:
            raise _refused("has too long a head")


def _check(lines: Headers, size: int) -> None:
    """Raise httpx.RemoteProtocolError for too many header lines, or too long ones."""
    if len(lines) > MAX_HEADERS:
        raise _refused("has too many headers")
    if size <= LONGEST_HEADER or not lines:
        return
    # Of an answer that came with its head that says nothing, and there are many lines.
    longest = max(map(len, chain.from_iterable(lines)))
    if 2 * longest > LONGEST_HEADER and any(
        len(name) + len(value) > LONGEST_HEADER for name, value in lines
    ):
        raise _refused("has too long a header")


def _is_framing(line: tuple[bytes, bytes]) -> bool:
    """Tell whether a header line says where the body ends, as far as we know."""
    name, value = line[0].lower(), line[1].lower()
    if name == b"transfer-encoding":
        return b"chunked" in value
    return name == b"content-length"


def _refused(what: str) -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError(f"The upstream's answer {what}.")

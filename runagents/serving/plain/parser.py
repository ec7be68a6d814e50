"""A reader of requests that takes the plain ones in one look.

gunicorn's own goes through a head line by line and character by character, in Python:
half of what the server costs a call. Nearly every request comes plain: a head in one
piece, in the grammar of RFC 9112 and within the limits. One expression says whether it
is, and what it says no to is left to gunicorn's reader, untouched, with its words and
statuses. So nothing can be accepted here that gunicorn refuses, or read otherwise: what
the expression allows is a part of what gunicorn does. Where a field stands twice, or
one asks the server for something (a coding, an upgrade, to close), gunicorn's own
checks of framing decide; else there is a length or none.

A request of a vendor's SDK, with 16 fields: 48 µs in gunicorn's reader, 9 here, and 2
where its head is that of the request before (heads.py).
"""

import re
from collections.abc import Callable
from typing import Any

from gunicorn.asgi.parser import PythonProtocol

from runagents.serving.plain.heads import LONGEST_LENGTH, Head

# RFC 9112, sections 3 and 5; RFC 9110, sections 5.5 and 5.6.2. Possessive: each byte is
# looked at once, whatever comes.
_PLAIN = re.compile(
    rb"([A-Z]{3,20}+) (/[!-~]*+) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n"
)
_VERSION = (1, 1)
_METHODS = frozenset({b"GET", b"POST"})
_STAYS = b"keep-alive"
# What says more of framing, of the connection or of its scheme than is known here.
_ASKING = frozenset(
    {
        b"expect",
        b"transfer-encoding",
        b"upgrade",
        b"x-forwarded-proto",
        b"x-forwarded-protocol",
        b"x-forwarded-ssl",
    }
)
_LENGTH = b"content-length"


class Parser(PythonProtocol):  # type: ignore[misc]
    """gunicorn's reader, and in front of it a look at the whole head.

    A head of which all is known by that `is_plain`.
    """

    method: Any
    path: Any
    http_version: Any
    content_length: Any
    headers: Any
    _body_remaining: int
    _state: str
    _buffer: bytearray
    is_plain = False
    _is_again = False

    def __init__(
        self,
        on_headers_complete: Callable[[], Any],
        on_body: Callable[[bytes], None],
        on_message_complete: Callable[[], None],
        **options: Any,
    ) -> None:
        """Take three of gunicorn's callbacks, those that its connection has.

        `options` are gunicorn's limits.
        """
        super().__init__(
            on_headers_complete=on_headers_complete,
            on_body=on_body,
            on_message_complete=on_message_complete,
            **options,
        )
        self.head: Head | None = None
        """What a head that is plain says; then what the last such head said."""
        # A head within the limit of a line and of a field has none beyond it.
        self._most_bytes = min(self._limit_request_line, self._limit_request_field_size)

    def body_of_same(self, data: bytes) -> bytes | None:
        """Read a request that is all of `data`, with the head that came before.

        Return its body; `head` says the rest, and no callback is called. None where it
        is to be fed: for all else, and where no request is expected.
        """
        head = self.head
        if head is None or self._state != "request_line" or self._buffer:
            return None
        end = head.end_of_same(data, self._most_bytes)
        if not end or len(data) - end != head.length:
            return None
        self._state = "complete"
        self.is_plain = self.is_complete = self._is_again = True
        self._empty_line_skipped = False
        return data[end:]

    def feed(self, data: bytes) -> None:
        """Read what came; raises gunicorn's ParseError."""
        if not self._buffer:
            if self._state == "request_line":
                data = self._without_head(data)
            if data and self._state == "body":
                data = self._without_body(data)
            if not data:
                return
        super().feed(data)

    def go_on(self) -> bytes:
        """Expect the next request; return what has come of it already."""
        if self._is_again and not self._buffer:
            self._is_again = self.is_plain = self.is_complete = False
            self._state = "request_line"
            return b""
        came = self.remaining() if self._buffer else b""
        # It would be dropped with what is forgotten of the last one.
        self.reset()
        return came

    def reset(self) -> None:
        """Expect the next request."""
        if self._is_again:
            self._is_again = self.is_plain = self.is_complete = False
            self._state = "request_line"
            self._buffer.clear()
            return
        if not self.is_plain:
            super().reset()
            return
        # Nothing else is changed by a plain one.
        self.is_plain = self.is_complete = self._empty_line_skipped = False
        self._state = "request_line"
        self._buffer.clear()
        self.method = self.path = self.http_version = self.content_length = None
        self.headers = []
        self._body_remaining = self._scan_from = 0

    def _without_head(self, data: bytes) -> bytes:
        """Read the head if it is plain and here; return what is still to be read."""
        head = self.head
        if head is not None and (end := head.end_of_same(data, self._most_bytes)):
            self.is_plain = True
            self._begin(head)
            return data[end:]
        found = _PLAIN.match(data, 0, self._most_bytes)
        if found is None:
            return data
        method, target, text = found.groups()
        lines = text.split(b"\r\n")
        lines.pop()
        if len(lines) > self._limit_request_fields:
            return data
        fields = [
            (name.lower(), value.strip(b" \t"))
            for name, _, value in [line.partition(b":") for line in lines]
        ]
        told = dict(fields)
        self.is_plain = len(told) == len(fields) and self._is_plain(method, told)
        if self.is_plain:
            head = self.head = Head(data, found.end(), method, target, fields)
            if _LENGTH in told:
                head.length = int(told[_LENGTH])
            self._begin(head)
        else:
            self.method = method
            self.path = target
            self.http_version = _VERSION
            self._header_count = len(fields)
            self._headers_list = fields
            self._finalize_headers()
        return data[found.end() :]

    def _is_plain(self, method: bytes, fields: dict[bytes, bytes]) -> bool:
        """Tell whether a head asks for nothing but an answer."""
        length = fields.get(_LENGTH, b"0")
        return (
            method in _METHODS
            and _ASKING.isdisjoint(fields)
            and length.isdigit()
            and len(length) <= LONGEST_LENGTH
            and fields.get(b"connection", _STAYS).lower() == _STAYS
        )

    def _begin(self, head: Head) -> None:
        """Expect the body of a plain head, as gunicorn would."""
        self.method = head.method
        self.path = head.target
        self.http_version = _VERSION
        self.headers = head.fields
        length = head.length
        if length is not None:
            self.content_length = self._body_remaining = length
        self._on_headers_complete()
        if length:
            self._state = "body"
        else:
            self._end()

    def _end(self) -> None:
        self._state = "complete"
        self.is_complete = True
        self._on_message_complete()

    def _without_body(self, data: bytes) -> bytes:
        """Read the body as far as it is here, and return what follows it."""
        expected = self._body_remaining
        if len(data) < expected:
            self._body_remaining = expected - len(data)
            self._on_body(data)
            return b""
        self._body_remaining = 0
        self._on_body(data[:expected])
        self._end()
        return data[expected:]

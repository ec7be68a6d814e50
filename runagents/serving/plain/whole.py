"""The head of an answer whose body is all here, written in one go.

Answers differ in the values of their headers. What is the same, a status, the names and
what the server adds, is checked and put together once: the head of a call takes 35
steps of Python's interpreter, where the way by ASGI's two messages takes 400. Whatever
is not plain here goes that way, which refuses or mends it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from gunicorn.asgi import protocol

_VERSION = (1, 1)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# What says how the answer is framed, or is said by the server itself.
_SERVERS_OWN = frozenset(
    {"connection", "content-length", "date", "server", "transfer-encoding"}
)
_WITH_BODY = range(200, 600)
_WITHOUT_BODY = frozenset({204, 304})
FORMS_KEPT = 256


def head(status: int, headers: Mapping[str, str], size: int | None) -> bytes | None:
    """Return the head of an answer with a body of `size` bytes, its last line open.

    In chunks, where that is None. Returns None where it is not as plain as nearly all:
    where a value is not of printable ASCII or a header says something of the framing.
    """
    form = _form(status, tuple(headers), size is None)
    values = "".join(headers.values())
    # So no line is ended in a value (RFC 9110, section 5.5).
    if form is None or not (values.isascii() and values.isprintable()):
        return None
    told = (*headers.values(),) if size is None else (*headers.values(), size)
    lines = (form % told).encode("ascii")
    return lines + protocol._get_cached_date_header()  # type: ignore[no-any-return]


@lru_cache(maxsize=FORMS_KEPT)
def _form(status: int, names: tuple[str, ...], is_chunked: bool) -> str | None:
    """Return the head with places for the headers' values and for the body's size."""
    if status not in _WITH_BODY or status in _WITHOUT_BODY:
        return None
    if not all(_NAME.fullmatch(name) for name in names):
        return None
    if not _SERVERS_OWN.isdisjoint(name.lower() for name in names):
        return None
    first = protocol._get_cached_status_line(_VERSION, status).decode("ascii")
    lines = "".join(f"{name.lower().replace('%', '%%')}: %s\r\n" for name in names)
    server = protocol._CACHED_SERVER_HEADER.decode("ascii")
    framing = "transfer-encoding: chunked" if is_chunked else "content-length: %d"
    return f"{first}{lines}{framing}\r\n{server}"


def in_chunks(body: bytes) -> bytes:
    """Return a body as one chunk and the last one: RFC 9112, section 7.1."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"

"""What a request is made of, checked in the words that traffic sends it in.

Whoever builds a request takes its address and its headers from here, the provider's
form as well: what is saved can be sent.
"""

from collections.abc import Mapping
from typing import Any

import httpx
import yarl

Origin = tuple[bytes, bytes, int | None]
"""Scheme, host and port."""

# The head writes these itself: they frame the message, name the destination, or
# would make the upstream answer in a form that needs decoding.
OWN_HEADERS = frozenset(
    {
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"upgrade",
        b"expect",
        b"accept-encoding",
        b"cookie",
        b"proxy-authorization",
        b"proxy-connection",
    }
)


class Unusable(httpx.LocalProtocolError):
    """An address or a header that no request can have. Nothing was sent."""


class NoWay(Unusable):
    """A proxy, CA or certificate that cannot be used. Nothing was sent.

    The text is for administrators and names no address.
    """


def address(url: str) -> httpx.URL:
    """Return `url` as requests take it; raises Unusable.

    A backslash is refused: to some programs it ends the host, to others not.
    """
    try:
        found = httpx.URL(url)
        _ = found.host  # decodes the name
        target(found)
    except (httpx.InvalidURL, ValueError):
        raise Unusable("The address cannot be used.") from None
    if "\\" in url or found.scheme not in ("http", "https") or not _is_host(found):
        raise Unusable("The address cannot be used.")
    return found


def target(url: httpx.URL) -> yarl.URL:
    """Return the origin of `url` as aiohttp takes it; raises ValueError."""
    origin = yarl.URL(f"{url.scheme}://{url.netloc.decode('ascii')}/", encoded=True)
    _ = origin.port  # tells a number that is none
    return origin


def header_lines(headers: Mapping[str, str]) -> httpx.Headers:
    """Return `headers` as requests take them; raises Unusable, naming the wrong one.

    They are ASCII without a line break or NUL (RFC 9110, section 5.5).
    """
    for name, value in headers.items():
        text = name + value
        if not text.isascii() or any(character in text for character in "\r\n\0"):
            shown = name if name.isascii() and name.isprintable() else "A header"
            raise Unusable(f"{shown} holds a character that no header may hold.")
    return httpx.Headers(headers)


class Outline:
    """What requests to one address have in common, made and checked once.

    Raises Unusable. `lines` are the header lines that are sent of `headers`, `names`
    those of which a request can have no second one. Two are caches: `plan`, how the
    last request was sent, and of which kind it was (`plans`), and `beside`, the header
    that was put there last beside these.
    """

    __slots__ = (
        "beside",
        "headers",
        "lines",
        "names",
        "origin",
        "path",
        "plan",
        "url",
    )

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = address(url)
        self.headers = header_lines(headers)
        self.path = self.url.raw_path
        self.origin = origin_of(self.url)
        self.lines = sent_lines(self.headers)
        self.plan: Any = None
        self.beside: tuple[bytes, bytes] | None = None
        self.names = OWN_HEADERS.union(name.lower() for name, _ in self.headers.raw)


class Outgoing(httpx.Request):
    """A request along an outline, whose headers become httpx's when somebody asks.

    httpx makes all of a request anew: 9 of the 40 µs that an exchange takes. `own` are
    headers of this request alone, `body` is what it sends. `put_besides` is what was
    put beside the outline's headers, None where others were changed.
    """

    put_besides: tuple[bytes, ...] | None = ()
    _known: httpx.Headers | None = None
    _stream: httpx.SyncByteStream | httpx.AsyncByteStream | None = None

    def __init__(
        self,
        outline: Outline,
        method: str,
        body: bytes,
        extensions: dict[str, object],
        own: Mapping[str, str],
    ) -> None:
        self.method = method
        self.url = outline.url
        self.extensions = extensions
        self.outline = outline
        self.body = self._content = body
        if own:
            self.headers = httpx.Headers({**outline.headers, **own})

    @property
    def stream(self) -> httpx.SyncByteStream | httpx.AsyncByteStream:
        """The body, as httpx has it."""
        return self._stream or httpx.ByteStream(self.body)

    @stream.setter
    def stream(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        self._stream = stream

    @property
    def headers(self) -> httpx.Headers:
        """The headers, as httpx has them; who asks may change them."""
        if self._known is None:
            self._known = self.outline.headers.copy()
            if self.put_besides:
                name, value = self.put_besides
                self._known[name.decode("ascii")] = value.decode("ascii")
            self.put_besides = None
        return self._known

    @headers.setter
    def headers(self, headers: httpx.Headers) -> None:
        self._known, self.put_besides = headers, None

    def sign(self, header: tuple[bytes, bytes]) -> None:
        """Put a header that is the same object for all requests along an outline."""
        if self._known is None and self.outline.beside is header:
            self.put_besides = header
        else:
            self.put(*header)
            if self._known is None:
                self.put_besides = self.outline.beside = header

    def put(self, name: bytes, value: bytes) -> None:
        """Set a header, whatever it was before."""
        if self._known is None and name.lower() not in self.outline.names:
            self.put_besides = name, value
        else:
            self.headers[name.decode("ascii")] = value.decode("ascii")

    def sent_lines(self) -> list[bytes]:
        """Return the header lines that are sent."""
        if self._known is not None:
            return sent_lines(self._known)
        lines, put = self.outline.lines, self.put_besides
        return [*lines, b"%b: %b" % put] if put else lines


def sent_lines(headers: httpx.Headers) -> list[bytes]:
    """Return the lines of `headers` as they are sent, but for those of the head."""
    return [
        b"%b: %b" % pair for pair in headers.raw if pair[0].lower() not in OWN_HEADERS
    ]


def origin_of(url: httpx.URL) -> Origin:
    """Return where `url` leads, as connections are kept by."""
    return url.raw_scheme, url.raw_host, url.port


def _is_host(url: httpx.URL) -> bool:
    """Tell whether the labels of the host's name have a length that names can have."""
    labels = url.raw_host.removesuffix(b".").split(b".")
    return all(0 < len(label) < 64 for label in labels) or b":" in url.raw_host

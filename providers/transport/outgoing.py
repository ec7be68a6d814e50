"""What a request is made of, checked in the words that traffic sends it in.

Whoever builds a request takes its address and its headers from here, the provider's
form as well: what is saved can be sent.
"""

from collections.abc import Mapping

import httpx
import yarl


class Unusable(httpx.LocalProtocolError):
    """An address or a header that no request can have. Nothing was sent."""


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


def _is_host(url: httpx.URL) -> bool:
    """Tell whether the labels of the host's name have a length that names can have."""
    labels = url.raw_host.removesuffix(b".").split(b".")
    return all(0 < len(label) < 64 for label in labels) or b":" in url.raw_host

"""The address of a forward proxy, as administrators type it. Pure."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

NONE = "none"
"""Stands for going without the installation's proxy."""

USUAL_PORT = 3128


class ProxyAddress(NamedTuple):
    """Where a proxy is, and the user and password that stood in its address."""

    url: str
    user: str = ""
    password: str = ""


def read(text: str) -> ProxyAddress:
    """Return the proxy in `text`; raises ValueError with the end of a sentence.

    It begins "The proxy's address ...".
    """
    text = text.strip()
    if "://" not in text:
        raise ValueError(f"needs its scheme: http://{text}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("has a malformed host or port") from None
    if parts.scheme.lower() != "http":
        raise ValueError(
            f"begins with {parts.scheme}://, which is not spoken here: http:// is, to "
            "proxies that tunnel https"
        )
    if not parts.hostname or not parts.hostname.isascii() or port == 0:
        raise ValueError("names no host and port, as http://proxy.example:3128 does")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("ends with its port: nothing may follow")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if any(each.isspace() or each == "\\" for each in text):
        raise ValueError("holds a space or backslash")
    return ProxyAddress(
        f"http://{host}:{port or USUAL_PORT}",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )

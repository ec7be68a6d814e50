"""Bytes that come as text: data URLs and base64."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.errors import GatewayError, invalid_request


class DataURL(NamedTuple):
    """The label and the bytes of a ``data:`` URL; the label is lower-case or empty."""

    media_type: str
    data: bytes


def parse_data_url(url: str, param: str) -> DataURL:
    """Return what a ``data:`` URL holds (RFC 2397); raises a 400 naming `param`."""
    head, comma, payload = url[5:].partition(",")
    if not comma:
        raise malformed(param, "a data URL needs a comma before its data")
    label, *parameters = (piece.strip().lower() for piece in head.split(";"))
    if "base64" in parameters:
        return DataURL(label, parse_base64(payload, param))
    return DataURL(label, unquote_to_bytes(payload))


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITESPACE = b" \t\r\n\f\v"


def parse_base64(text: str, param: str) -> bytes:
    """Return the bytes of base64 text; raises a 400 naming `param`.

    Line breaks, the URL-safe alphabet, percent-encoding and missing padding are
    accepted: clients send all of them.
    """
    raw = unquote_to_bytes(text) if "%" in text else text.encode()
    raw = raw.translate(_URL_SAFE, _WHITESPACE).rstrip(b"=")
    try:
        return b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except Base64Error:
        raise malformed(param, "the data is not valid base64") from None


def malformed(param: str, problem: str) -> GatewayError:
    """Return a 400 for content that is wrong; `problem` completes a sentence."""
    return invalid_request(
        f"Invalid content in '{param}': {problem}.", param=param, code="invalid_value"
    )

"""Bytes that come as text: data URLs and base64.

They go on as text, too. To decode and encode an image of 1 MB cost 4,900 µs, in which
nothing else was done; to look at its letters and decode the first few costs 1,200.
"""

from base64 import b64decode, b64encode
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.errors import GatewayError, invalid_request

_HEAD = 64
"""Letters of base64 that tell what a file is."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITESPACE = b" \t\r\n\f\v"


class Base64(NamedTuple):
    """Bytes in base64, as encoders write it: padded, and without line breaks."""

    text: str

    @classmethod
    def of(cls, data: bytes) -> "Base64":
        """Return `data` in base64."""
        return cls(b64encode(data).decode())

    @property
    def head(self) -> bytes:
        """The first bytes, which tell what they are."""
        return b64decode(self.text[:_HEAD])

    @property
    def data(self) -> bytes:
        """All the bytes."""
        return b64decode(self.text)


class DataURL(NamedTuple):
    """What a ``data:`` URL says; the label is lower-case or empty."""

    media_type: str
    content: Base64


def parse_data_url(url: str, param: str) -> DataURL:
    """Return what a ``data:`` URL holds (RFC 2397); raises a 400 naming `param`."""
    comma = url.find(",", 5)
    if comma < 0:
        raise malformed(param, "a data URL needs a comma before its data")
    label, *parameters = (piece.strip().lower() for piece in url[5:comma].split(";"))
    payload = url[comma + 1 :]
    if "base64" in parameters:
        return DataURL(label, parse_base64(payload, param))
    return DataURL(label, Base64.of(unquote_to_bytes(payload)))


def parse_base64(text: str, param: str) -> Base64:
    """Return what base64 text says; raises a 400 naming `param`.

    Line breaks, the URL-safe alphabet, percent-encoding and missing padding are
    accepted: clients send all of them.
    """
    letters = text.encode().rstrip(b"=")
    is_usual = not letters.translate(None, _ALPHABET)
    if not is_usual:
        letters = unquote_to_bytes(text).translate(_URL_SAFE, _WHITESPACE).rstrip(b"=")
        if letters.translate(None, _ALPHABET):
            raise _not_base64(param)
    over = len(letters) % 4
    if over == 1:
        raise _not_base64(param)
    end = len(letters) - over
    # The last letter has bits to spare, which some writers do not leave at zero.
    last = b64encode(b64decode(letters[end:] + b"=" * (-over % 4)))
    if is_usual and text[end:] == last.decode():
        return Base64(text)
    return Base64((letters[:end] + last).decode())


def malformed(param: str, problem: str) -> GatewayError:
    """Return a 400 for content that is wrong; `problem` completes a sentence."""
    return invalid_request(
        f"Invalid content in '{param}': {problem}.", param=param, code="invalid_value"
    )


def _not_base64(param: str) -> GatewayError:
    return malformed(param, "the data is not valid base64")

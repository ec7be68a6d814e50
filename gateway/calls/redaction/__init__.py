"""Keeps a provider's credentials out of what its upstream says.

An upstream may echo what it was sent, in an answer, an error or a header.
"""

import base64
import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar, cast
from urllib.parse import quote

from gateway.errors import GatewayError
from gateway.wire import jsontext
from gateway.worker.snapshot import Provider
from providers import auth

REDACTED = b"[redacted]"
SHORTEST_SECRET = 8
FEW = 128
"""Bytes that are sooner looked through than thought about."""

Marked = tuple[int, tuple[tuple[int, bytes], ...]]
"""The rarest byte of some spellings; the next one of each, and the spelling."""

T = TypeVar("T")

_OFTEN = b' etaoinsrhldcu"mfpgwyb,.:vk10_-2{}[]/TASICMWB3458679PEHDFLNROGUYVK'
"""Bytes of answers, those that come most often first; of Q or z there are few."""

_ESCAPE = re.compile(rb"%[0-9A-F]{2}")

HIDING = b"\\u00"
"""How an escape in JSON begins that may stand for a letter of a credential."""
_AN_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9A-Fa-f])|.)", re.DOTALL)


def redact(provider: Provider, data: bytes) -> bytes:
    """Return `data` without the provider's credentials."""
    # Those that are lent come and go, and are never kept so.
    secrets = provider.secrets or spellings_of(provider)
    if len(data) < FEW and not any(map(data.__contains__, secrets)):
        return data
    for rarest, marked in _marked(secrets):
        if rarest in data:
            for rare, secret in marked:
                if rare in data and secret in data:
                    data = data.replace(secret, REDACTED)
    return data


@lru_cache(maxsize=256)
def _marked(spellings: tuple[bytes, ...]) -> tuple[Marked, ...]:
    """Return spellings, each behind two bytes of it that come least often in answers.

    Mostly one of these is not in an answer, which is known ten times sooner: to look
    for a key in a short one takes 0.4 to 0.9 µs instead of 2.6 to 3, in one of 4 KB 1.7
    instead of 6.
    """
    marked: dict[int, list[tuple[int, bytes]]] = {}
    # A token of one character has one that is empty, and stands everywhere.
    for each in filter(None, spellings):
        ranked = sorted(set(each), key=_rank)
        marked.setdefault(ranked[-1], []).append((ranked[-2:][0], each))
    return tuple((rarest, tuple(behind)) for rarest, behind in marked.items())


def _rank(byte: int) -> int:
    place = _OFTEN.find(byte)
    return len(_OFTEN) if place < 0 else place


def redacted_piece(provider: Provider, piece: T) -> T:
    """Return a piece of a streamed answer, frames or chunks, without credentials."""
    if isinstance(piece, bytes):
        shown = redact(provider, piece)
        return cast(T, _unhidden(provider, shown) if HIDING in shown else shown)
    return cast(T, jsontext.decode(redact(provider, jsontext.encode(piece))))


def _unhidden(provider: Provider, frames: bytes) -> bytes:
    """Return frames of JSON without credentials of which letters are escapes."""
    plain = _AN_ESCAPE.sub(_as_character, frames)
    shown = redact(provider, plain)
    return frames if shown == plain else shown


def _as_character(escape: re.Match[bytes]) -> bytes:
    character = bytes([int(escape[1], 16)]) if escape[1] else b""
    # These have to be escapes.
    return escape[0] if character in b'"\\' else character


def redacted_text(provider: Provider, text: str) -> str:
    """Return a text without the provider's credentials."""
    return redact(provider, text.encode()).decode()


def redacted(provider: Provider, error: GatewayError) -> GatewayError:
    """Return an error in an upstream's words without the provider's credentials."""
    return GatewayError(
        error.status,
        redacted_text(provider, error.type),
        redacted_text(provider, error.message),
        error.code and redacted_text(provider, error.code),
        error.param and redacted_text(provider, error.param),
        error.headers,
        error.told and redacted_piece(provider, error.told),
    )


def spellings_of(provider: Provider) -> tuple[bytes, ...]:
    """Return the provider's credentials of now, each in every way it may be written."""
    if isinstance(provider.auth, auth.LENT):
        if provider.stored is None:
            provider.stored = _stored(provider)
        lent = provider.auth.access_token
        return provider.stored + _spellings(lent) if lent else provider.stored
    if provider.secrets is None:
        provider.secrets = _stored(provider)
    return provider.secrets


def _stored(provider: Provider) -> tuple[bytes, ...]:
    """Return the stored credentials' spellings."""
    row, stored = provider.row, [""]
    if row.secret is not None and provider.auth is not None:
        stored += row.credentials().values()
    if row.network_secret is not None:
        stored.append(row.network_values().get("proxy_password", ""))
    parts = (key for value in stored for key in auth.keys_in(value))
    values = dict.fromkeys((*stored, *parts))
    long = [value for value in values if len(value) >= SHORTEST_SECRET]
    return tuple(each for value in long for each in _spellings(value))


# By the token: one is redacted from every answer that it asked for.
@lru_cache(maxsize=256)
def _spellings(secret: str) -> tuple[bytes, ...]:
    """Return a secret as it stands, within JSON, and as encoders write it."""
    return tuple(dict.fromkeys((*jsontext.spellings(secret), *_encoded(secret))))


def _encoded(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    percent = quote(secret, safe="").encode()
    yield from (percent, _ESCAPE.sub(lambda found: found[0].lower(), percent))
    yield quote(secret).encode()
    yield from (html.escape(secret).encode(), html.escape(secret, quote=False).encode())
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Within a longer text it may begin at each of three places of a group; the
            # characters at its ends hold something of what is beside it.
            text = encode(bytes(before) + raw).rstrip(b"=")
            start = (before * 8 + 5) // 6
            yield text[start : (before + len(raw)) * 8 // 6]

"""Sealing under a key that is kept nowhere: the token in ids that a client holds."""

import hashlib
import os
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"runagents items of a response"
_NONCE_BYTES = 12
LARGEST = 8 * 1024 * 1024
"""Bytes of one answer's items; no more is inflated."""


def name_of(token: str) -> str:
    """Return the name under which is kept what `token` opens."""
    return hashlib.sha256(token.encode()).hexdigest()


def seal(token: str, owner: str, text: bytes) -> bytes:
    """Return `text` so that only `token` opens it, for `owner` alone."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(token).encrypt(nonce, zlib.compress(text, 6), owner.encode())


def unseal(token: str, owner: str, sealed: bytes) -> bytes | None:
    """Return what `seal` was given, None where anything differs."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        deflated = _cipher(token).decrypt(nonce, rest, owner.encode())
        inflate = zlib.decompressobj()
        text = inflate.decompress(deflated, LARGEST)
    except (InvalidTag, ValueError, zlib.error):
        return None
    return text if inflate.eof else None


def _cipher(token: str) -> AESGCM:
    derive = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive
    return AESGCM(derive(token.encode()))

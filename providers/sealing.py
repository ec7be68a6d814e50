"""Authenticated encryption of stored credentials.

AES-256-GCM with a random nonce. A ciphertext names the key it was made with and is
bound to the row it belongs to and to where its content may be sent: opened under any
other binding it fails, so that copying it to another row or editing an address in the
database leaks nothing.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

VERSION = "v1"
NONCE_BYTES = 12


class UnreadableSecret(Exception):
    """A stored secret that cannot be opened with the current keys and binding."""


@cache
def _ciphers(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    """Return key id -> cipher, the writing key first."""
    ciphers = {}
    for text in keys:
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 32:
            raise ImproperlyConfigured(
                "ENCRYPTION_KEYS must hold base64 keys of 32 bytes each. Make one: "
                "python -c 'import base64,os;print(base64.b64encode(os.urandom(32))"
                ".decode())'"
            )
        ciphers[hashlib.sha256(key).hexdigest()[:8]] = AESGCM(key)
    if not ciphers:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS is empty; it needs one key or more."
        )
    return ciphers


def ciphers() -> dict[str, AESGCM]:
    """Return the configured ciphers by key id; raises ImproperlyConfigured."""
    return _ciphers(tuple(settings.ENCRYPTION_KEYS))


def key_ids(keys: Iterable[str]) -> set[str]:
    """Return what ciphertexts call these keys; raises ImproperlyConfigured."""
    return set(_ciphers(tuple(keys)))


def key_id(token: str) -> str:
    """Return what a ciphertext calls the key that it was made with."""
    return token.partition(":")[2].partition(":")[0]


def is_current(token: str) -> bool:
    """Tell whether `token` was made with the writing key (not whether it opens)."""
    return token.startswith(f"{VERSION}:{next(iter(ciphers()))}:")


def seal(plaintext: bytes, binding: str) -> str:
    """Return `plaintext` encrypted under the first key and bound to `binding`."""
    key_id, cipher = next(iter(ciphers().items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, plaintext, binding.encode())
    return f"{VERSION}:{key_id}:{base64.b64encode(sealed).decode()}"


def unseal(token: str, binding: str) -> bytes:
    """Return what `seal` was given; raises UnreadableSecret when anything differs."""
    try:
        version, key_id, text = token.split(":")
        sealed = base64.b64decode(text, validate=True)
        cipher = ciphers()[key_id]
        if version != VERSION:
            raise ValueError(version)
        return cipher.decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], binding.encode()
        )
    except (ValueError, KeyError, InvalidTag):
        raise UnreadableSecret(
            "Stored secret cannot be decrypted with the current keys. Enter it again."
        ) from None

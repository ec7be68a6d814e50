"""A file that only a passphrase opens, written and read a piece at a time.

The passphrase gives a key by scrypt (RFC 7914). Pieces of 1 MiB are each encrypted by
AES-256-GCM; a piece's nonce says which one it is and whether it is the last, so that
none can be changed, moved, left out or cut off unnoticed (the STREAM construction,
https://eprint.iacr.org/2015/189). A database of any size takes no more memory than two.
"""

import os
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"RunAgents backup 1\n"
PIECE = 1 << 20
TAG = 16
# 2^17 blocks of 1 KiB: 128 MiB and half a second for each guess.
COST = 17
MOST_COST = 20
SALT, PREFIX, CHECK, KEY = 16, 7, 16, 32
HEADER = len(MAGIC) + 1 + SALT + PREFIX + CHECK


class Unreadable(Exception):
    """A file that is no whole backup, or not one of this passphrase; says so."""


class Sealer:
    """Takes bytes and writes them to a file, encrypted; `close` writes the last.

    What was never closed is read as cut off.
    """

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        salt, prefix = os.urandom(SALT), os.urandom(PREFIX)
        key, check = _derived(passphrase, salt, COST)
        self._header = MAGIC + bytes([COST]) + salt + prefix + check
        self._cipher = AESGCM(key)
        self._file = file
        self._prefix = prefix
        self._number = 0
        self._held = bytearray()
        file.write(self._header)

    def write(self, data: bytes) -> int:
        """Take more of the content."""
        self._held += data
        # One is kept back: the last one is written in another way.
        while len(self._held) > PIECE:
            self._put(bytes(self._held[:PIECE]), is_last=False)
            del self._held[:PIECE]
        return len(data)

    def close(self) -> None:
        """Write what is left, as the end."""
        self._put(bytes(self._held), is_last=True)
        self._held.clear()

    def _put(self, piece: bytes, is_last: bool) -> None:
        nonce = _nonce(self._prefix, self._number, is_last)
        self._file.write(self._cipher.encrypt(nonce, piece, self._header))
        # Written as it comes: a great heap at the end would hold up other writers.
        self._file.flush()
        os.fdatasync(self._file.fileno())
        self._number += 1


class Opener:
    """Gives the bytes that a Sealer took; nothing that was not proved to be whole.

    Raises Unreadable when it is made for another passphrase, and from `read`.
    """

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        header = file.read(HEADER)
        if len(header) < HEADER or not header.startswith(MAGIC):
            raise Unreadable("It is no backup, or only the beginning of one.")
        cost, rest = header[len(MAGIC)], header[len(MAGIC) + 1 :]
        salt, self._prefix = rest[:SALT], rest[SALT : SALT + PREFIX]
        if not 1 <= cost <= MOST_COST:
            raise Unreadable("It was changed or damaged since it was written.")
        key, check = _derived(passphrase, salt, cost)
        if check != rest[SALT + PREFIX :]:
            raise Unreadable(
                "BACKUP_PASSPHRASE is not the passphrase that it was made with."
            )
        self._cipher = AESGCM(key)
        self._header = header
        self._file = file
        self._number = 0
        self._ahead = file.read(PIECE + TAG)
        self._held = bytearray()
        self._is_over = False

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end."""
        while len(self._held) < size and not self._is_over:
            self._held += self._next()
        given = bytes(self._held[:size])
        del self._held[:size]
        return given

    def finish(self) -> None:
        """Read to the end, so that nothing is left unproved."""
        while not self._is_over:
            self._next()

    def _next(self) -> bytes:
        piece, self._ahead = self._ahead, self._file.read(PIECE + TAG)
        self._is_over = not self._ahead
        nonce = _nonce(self._prefix, self._number, self._is_over)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, piece, self._header)
        except InvalidTag:
            raise Unreadable(
                "It is cut off, or was changed or damaged since it was written."
            ) from None


def is_sealed(file: BinaryIO) -> bool:
    """Tell whether a file begins as a sealed one; leaves it at its beginning."""
    begin = file.read(len(MAGIC))
    file.seek(0)
    return begin == MAGIC


def _nonce(prefix: bytes, number: int, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([is_last])


def _derived(passphrase: str, salt: bytes, cost: int) -> tuple[bytes, bytes]:
    """Return the key, and what tells whether the passphrase is the right one."""
    kdf = Scrypt(salt=salt, length=KEY + CHECK, n=1 << cost, r=8, p=1)
    made = kdf.derive(passphrase.encode())
    return made[:KEY], made[KEY:]

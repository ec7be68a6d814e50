"""Keys that we issue: how one looks, is checked and is recognised again.

``<prefix>_<32 letters and digits><6 of checksum>``: about 190 random bits. Only the
SHA-256 digest is stored. The checksum lets a mistyped or made-up key be refused without
looking anything up.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from typing import NamedTuple

ALPHABET = string.ascii_letters + string.digits
RANDOM_CHARACTERS = 32
CHECKSUM_CHARACTERS = 6

WORKSPACE_PREFIX = "ra_ws"
AGENT_PREFIX = "ra_ag"
PREFIXES = (WORKSPACE_PREFIX, AGENT_PREFIX)

PLATFORM_MANAGED = "platform-managed"
"""What RunAgents puts where a key would stand; counts as no key."""


class NewKey(NamedTuple):
    """A key just made. `plaintext` is shown once and never stored."""

    plaintext: str
    prefix: str
    last4: str
    digest: str

    def __repr__(self) -> str:
        return f"NewKey({self.prefix}_...{self.last4})"


def generate(prefix: str) -> NewKey:
    """Return a new random key that starts with `prefix` and an underscore."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    plaintext = f"{prefix}_{body}{_checksum(body)}"
    return NewKey(plaintext, prefix, plaintext[-4:], digest(plaintext))


def digest(plaintext: str) -> str:
    """Return the digest under which a key is stored and looked up."""
    return hashlib.sha256(plaintext.encode()).hexdigest()


def is_well_formed(plaintext: str) -> bool:
    """Tell whether this could be a key of ours: known prefix, length and checksum."""
    prefix, _, tail = plaintext.rpartition("_")
    if prefix not in PREFIXES or len(tail) != RANDOM_CHARACTERS + CHECKSUM_CHARACTERS:
        return False
    if not tail.isascii():
        return False
    body, checksum = tail[:RANDOM_CHARACTERS], tail[RANDOM_CHARACTERS:]
    return hmac.compare_digest(_checksum(body), checksum)


def _checksum(body: str) -> str:
    """Return `body`'s CRC-32 as six letters and digits."""
    number = zlib.crc32(body.encode())
    characters = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, rest = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[rest])
    return "".join(characters)

"""The one-time token that lets the first visitor create the administrator.

It stands in a file of the data folder (mode 0600) and in the output of `serve`; only
who can read either can claim a fresh installation.
"""

import hmac
import secrets
from pathlib import Path

from django.conf import settings

from runagents.serving.keyfile import made_once

MIN_LENGTH = 32


def token_file() -> Path:
    """Return where the token is kept."""
    return Path(settings.DATA_DIR) / "setup_token"


def setup_token() -> str:
    """Return the token, made on first use; the same for all processes."""
    return made_once(token_file(), lambda: secrets.token_urlsafe(MIN_LENGTH))


def is_valid(token: str) -> bool:
    """Tell whether `token` is the one in the file; never when there is no file."""
    try:
        expected = token_file().read_text().strip()
    except FileNotFoundError:
        return False
    if len(expected) < MIN_LENGTH:
        return False
    return hmac.compare_digest(expected.encode(), token.strip().encode())


def consume(token: str) -> bool:
    """Use `token` up; False if it is wrong or somebody else used it first."""
    if not is_valid(token):
        return False
    try:
        token_file().unlink()
    except FileNotFoundError:
        return False
    return True

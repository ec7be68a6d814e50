"""The one-time token that lets the first visitor create the administrator.

It stands in a file of the data folder (mode 0600) and in the output of `serve`; only
who can read either can claim a fresh installation.
"""

import hmac
import os
import secrets
from pathlib import Path

from django.conf import settings

MIN_LENGTH = 32


def token_file() -> Path:
    """Return where the token is kept."""
    return Path(settings.DATA_DIR) / "setup_token"


def setup_token() -> str:
    """Return the token, made on first use; the same for all processes."""
    path = token_file()
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(MIN_LENGTH))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


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

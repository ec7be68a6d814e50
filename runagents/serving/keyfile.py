"""Secrets that the server makes for itself on first use."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def key_from_file(path: Path) -> str:
    """Return the base64 key in `path`; make one of 32 random bytes if absent."""
    return made_once(path, lambda: base64.b64encode(secrets.token_bytes(32)).decode())


def made_once(path: Path, make: Callable[[], str]) -> str:
    """Return the text in `path`; store what `make` returns (mode 0600) if absent.

    Two processes that start at once agree: only one of them can link its text to the
    name, and both read what stands there.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()

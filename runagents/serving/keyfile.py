"""Keys that the server makes for itself on first use."""

import base64
import os
import secrets
from pathlib import Path


def key_from_file(path: Path) -> str:
    """Return the base64 key in `path`; make one (32 random bytes, mode 0600) if absent.

    Two processes that start at once agree: only one of them can link its key to the
    name, and both read what stands there.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()

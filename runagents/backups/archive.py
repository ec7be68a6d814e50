"""What is in a backup: a tar of the database, the key files and a note on both."""

import io
import json
import os
import secrets
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runagents.backups.sealed import PIECE, Opener, Sealer, Unreadable

DATABASE, NOTE = "runagents.sqlite3", "about.json"
KEYS = ("secret_key", "encryption_key")
WORKING = ".backup-"
DAY_SECONDS = 24 * 3600


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Give an empty file for its owner alone, which becomes `file` in the end.

    What breaks off leaves `file` as it was, and nothing beside it.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield draft
        os.fsync(descriptor)
        os.replace(draft, file)
        sync_folder(file.absolute().parent)
    finally:
        os.close(descriptor)
        for end in ("", "-wal", "-shm", "-journal"):
            draft.with_name(draft.name + end).unlink(missing_ok=True)


@contextmanager
def working_folder(beside: Path) -> Iterator[Path]:
    """Give an empty folder beside a database's file, for its owner alone and a while.

    What a killed process left of its own is deleted after a day: it may be as large as
    the database.
    """
    for left in beside.parent.glob(f"{WORKING}*"):
        if time.time() - left.stat().st_mtime > DAY_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=beside.parent, prefix=WORKING) as name:
        yield Path(name)


def sync_folder(folder: Path) -> None:
    """Make the names of files in it outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def pack(
    file: Path, passphrase: str, contents: Mapping[str, Path], note: Mapping[str, Any]
) -> None:
    """Write `contents`, by the names they get, and `note` to `file`, encrypted."""
    with file.open("wb") as out:
        sealer = Sealer(out, passphrase)
        stream: Any = sealer
        with tarfile.open(fileobj=stream, mode="w|", bufsize=PIECE) as tar:
            text = json.dumps(note).encode()
            about = tarfile.TarInfo(NOTE)
            about.size = len(text)
            tar.addfile(about, io.BytesIO(text))
            for name, path in contents.items():
                with path.open("rb") as content:
                    tar.addfile(tar.gettarinfo(arcname=name, fileobj=content), content)
        sealer.close()


def unpack(file: Path, passphrase: str, folder: Path) -> dict[str, Any]:
    """Put what `pack` wrote into an empty folder and return its note.

    Raises Unreadable where anything of it is not as it was written, and OSError.
    """
    with file.open("rb") as source:
        opener = Opener(source, passphrase)
        stream: Any = opener
        with tarfile.open(fileobj=stream, mode="r|", bufsize=PIECE) as tar:
            for member in tar:
                _extract(tar, member, folder)
        opener.finish()
    note: dict[str, Any] = json.loads((folder / NOTE).read_bytes())
    return note


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    content = tar.extractfile(member)
    if content is None or member.name not in {NOTE, DATABASE, *KEYS}:
        raise Unreadable(f"It holds {member.name}, which is no part of a backup.")
    path = folder / member.name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        shutil.copyfileobj(content, target, PIECE)
        os.fsync(target.fileno())

"""The last backup, remembered in the data folder: when, how large, and whose key."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings


class Last(NamedTuple):
    """A backup that was written."""

    file: str
    made_at: datetime
    size: int
    is_whole: bool
    """Whether the key files are in it, too, encrypted."""


def remember(file: Path, is_whole: bool) -> None:
    """Note a backup that was just written; one that cannot be noted still counts."""
    told = {"file": str(file.absolute()), "is_whole": is_whole}
    told |= {"made_at": datetime.now(UTC).isoformat(), "size": file.stat().st_size}
    with suppress(OSError):
        _path().write_text(json.dumps(told))


def last() -> Last | None:
    """Return the last backup that this data folder knows of."""
    try:
        told = json.loads(_path().read_text())
        made_at = datetime.fromisoformat(told["made_at"])
        return Last(told["file"], made_at, told["size"], told["is_whole"])
    except (OSError, ValueError, KeyError):
        return None


def _path() -> Path:
    return settings.DATA_DIR / "last_backup.json"

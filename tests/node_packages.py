"""Packages of Node.js, installed as their lock says into a folder outside."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

INSTALL_SECONDS = 300


class NotInstalled(Exception):
    """Something is missing, perhaps for want of a network; the message says what."""


def installed(source: Path) -> Path:
    """Return a folder with what the lock in `source` names, and with its scripts.

    Later runs find it again. Nothing that a package brings runs at the installation.
    Raises NotInstalled.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotInstalled(f"{program} is not installed")
    folder = cache_folder(source.name, source / "package-lock.json")
    folder.mkdir(parents=True, exist_ok=True)
    # Several processes of xdist may want it at once.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for file in ("package.json", "package-lock.json"):
                shutil.copy(source / file, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            install(command, folder)
        for script in source.glob("*.mjs"):
            _put(script, folder / script.name)
    return folder


def _put(script: Path, place: Path) -> None:
    """Copy a script as a whole: another process may be reading the one before."""
    made = place.with_name(f".{place.name}")
    shutil.copy(script, made)
    made.replace(place)


def cache_folder(name: str, lock: Path) -> Path:
    """Return the folder that belongs to a lock as it stands; it need not be there."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    parent = Path(os.environ.get("XDG_CACHE_HOME", tempfile.gettempdir()))
    return parent / f"runagents-{name}-{digest}"


def install(command: list[str], folder: Path) -> None:
    """Run an installer in `folder` and note there that it is done.

    Raises NotInstalled.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{command[0]} took too long") from None
    if done.returncode:
        raise NotInstalled(f"{command[0]} failed: {done.stderr.decode()[-500:]}")
    (folder / "installed").touch()

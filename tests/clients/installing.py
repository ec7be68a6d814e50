"""Where clients are installed: outside, in folders that later runs find again.

Nothing is installed into the tests' own environment. What is left behind is in
`XDG_CACHE_HOME`, or else in the folder for temporary files.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests import node_packages
from tests.clients.table import NODE, PROGRAM, PYTHON

HERE = Path(__file__).parent


class Installed(NamedTuple):
    """How the scripts of one kind are run, and from where."""

    program: str
    scripts: Path
    environ: Mapping[str, str] = {}


def locked() -> Installed:
    """Return the tests' own environment, which has some of the clients."""
    return Installed(sys.executable, HERE / PYTHON)


def installed(kind: str) -> Installed:
    """Install the clients of a kind where they are not; raises NotInstalled."""
    return {PYTHON: _python, NODE: _node, PROGRAM: _programs}[kind]()


def _python() -> Installed:
    lock = HERE / PYTHON / "requirements.lock"
    folder = node_packages.cache_folder("clients", lock)
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        node_packages.install([sys.executable, "-m", "venv", "."], folder)
        (folder / "installed").unlink()
        node_packages.install(
            [str(python), "-m", "pip", "install", "--require-hashes", "-r", str(lock)],
            folder,
        )
    return Installed(str(python), HERE / PYTHON)


def _node() -> Installed:
    return Installed("node", node_packages.installed(HERE / NODE))


def _programs() -> Installed:
    """Coding agents are programs; scripts in Python run them and read their output.

    opencode's own package finds its program after a script at the installation, which
    must not run here; so the program's package is named itself.
    """
    modules = node_packages.installed(HERE / PROGRAM) / "node_modules"
    folders = modules / ".bin", modules / "opencode-linux-x64" / "bin"
    environ = {"PROGRAMS": os.pathsep.join(map(str, folders))}
    return Installed(sys.executable, HERE / PROGRAM, environ)

"""What the coding agents beside this module share: a folder to work in, and a verdict.

Each is told to change one file and to read another, in one turn.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RUN_SECONDS = 60
HOME = ".home"
READ = "24 degrees"


def prepare(folder: Path) -> Path:
    """Fill `folder` and return the home to be used in it."""
    (folder / "weather.txt").write_text("Rain\n")
    (folder / "rome.txt").write_text(READ)
    home = folder / HOME
    home.mkdir()
    return home


def question(*calls: tuple[str, Mapping[str, Any]]) -> str:
    """Return a question to which the model of tests makes these calls."""
    return f"calls: {json.dumps(calls)}"


def run(
    command: Sequence[str], asked: str, folder: Path, **environ: str
) -> list[dict[str, Any]]:
    """Run a program in `folder`, ask it on standard input, return its lines of JSON.

    Raises RuntimeError with what it printed where it fails.
    """
    program = shutil.which(command[0], path=os.environ["PROGRAMS"])
    if program is None:
        raise RuntimeError(f"{command[0]} is not installed")
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder / HOME), **environ},
        input=asked,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-500:] + done.stderr[-500:])
    return [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"]


def verdict(folder: Path, said: str) -> str:
    """Return what became of the file, and whether the other came back in `said`."""
    changed = (folder / "weather.txt").read_text().strip()
    return f"{changed}, {READ}" if READ in said else f"{changed}; said {said!r}"

"""A Dockerfile carried out in a plain folder, where no container engine is at hand.

What an image would hold lies under a root of its own: absolute paths in the commands
point into it. The base images are what this machine has: its `python`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Folders that the Dockerfile makes; all others are the machine's.
OF_THE_IMAGE = ("/src", "/opt", "/data")


class Image:
    """The instructions of a Dockerfile, and the folder in which they were followed."""

    def __init__(self, file: Path, root: Path) -> None:
        self.context = file.parent
        self.root = root
        self.steps = list(_instructions(file.read_text()))
        self.environ: dict[str, str] = {}
        self._folder = root

    def build(self) -> None:
        """Follow COPY, RUN, ENV and WORKDIR, in order; raises when a command fails."""
        bin_folder = self.root / "bin"
        bin_folder.mkdir(parents=True)
        (bin_folder / "python").symlink_to(sys.executable)
        for name, told in self.steps:
            match name:
                case "WORKDIR":
                    self._folder = Path(self.inside(told))
                    self._folder.mkdir(parents=True)
                case "COPY":
                    self._copy(told)
                case "RUN":
                    self._run(re.sub(r"--mount=\S+", "", told))
                case "ENV":
                    for each in shlex.split(told):
                        key, _, value = each.partition("=")
                        self.environ[key] = self.inside(value)

    def inside(self, text: str) -> str:
        """Return `text` with the image's folders where they really lie."""
        folders = "|".join(OF_THE_IMAGE)
        return re.sub(rf"(?<![\w./])({folders})(?=/|\b)", rf"{self.root}\1", text)

    def words(self, name: str) -> list[str]:
        """Return what the last instruction `name` says as a list: ENTRYPOINT, CMD."""
        told = [text for each, text in self.steps if each == name][-1]
        listed: list[str] = json.loads(told[told.index("[") :])
        return listed

    def number(self, name: str) -> int:
        """Return the number that the last instruction `name` begins with: USER."""
        told = [text for each, text in self.steps if each == name][-1]
        return int(told.partition(":")[0])

    def _copy(self, told: str) -> None:
        words = [each for each in told.split() if not each.startswith("--")]
        if "--from=" in told:
            # Both stages lie in one folder.
            assert Path(self.inside(words[-1])).exists(), told
            return
        *sources, _ = words
        for source in sources:
            for path in self._ignoring(self.context / source):
                at = self._folder / path.relative_to(self.context)
                at.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, at)

    def _ignoring(self, path: Path) -> Iterator[Path]:
        """Yield the files of `path` that .dockerignore lets through."""
        kept = {
            line[1:]
            for line in (self.context / ".dockerignore").read_text().splitlines()
            if line.startswith("!")
        }
        for top in [path] if path.is_file() else map(path.joinpath, sorted(kept)):
            assert top.name in kept, f"{top.name} is not let through"
            for each in top.rglob("*") if top.is_dir() else [top]:
                if each.is_file() and "__pycache__" not in each.parts:
                    yield each

    def _run(self, command: str) -> None:
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-ec", self.inside(command)],
            cwd=self._folder,
            env={"PATH": path, "HOME": str(Path.home())},
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction's name and what follows it, on one line."""
    text = re.sub(r"^#.*\n", "", text, flags=re.M)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, told = line.strip().partition(" ")
            yield name, told.strip()

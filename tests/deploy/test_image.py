"""The image: each command of its build, start and health check, in a plain folder."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.deploy.dockerfile import Image
from tests.e2e.processes import PATIENCE, ROOT, free_port, wait_until

pytestmark = pytest.mark.slow


def _runs_as(image: Image) -> int | None:
    """Return the image's user, or None where only this one can be.

    Nobody else can start a Python that lies in a home of root's.
    """
    python = Path(sys.executable).resolve()
    is_open = all(each.stat().st_mode & 1 for each in [python, *python.parents])
    return image.number("USER") if os.geteuid() == 0 and is_open else None


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    # Whoever the image runs as has to reach it, unlike pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="image") as folder:
        Path(folder).chmod(0o755)
        built = Image(ROOT / "Dockerfile", Path(folder) / "root")
        built.build()
        if (user := _runs_as(built)) is not None:
            os.chown(built.root / "data", user, user)
        yield built


@contextmanager
def _started(image: Image, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [*image.words("ENTRYPOINT"), *image.words("CMD")]
    process = _process(image, command, RUNAGENTS_PORT=str(port))
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def _process(image: Image, command: list[str], **more: str) -> subprocess.Popen[bytes]:
    user = _runs_as(image)
    return subprocess.Popen(
        ["env", *(f"{k}={v}" for k, v in image.environ.items()), *command],
        env={"PATH": image.environ["PATH"], **more},
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        stdout=subprocess.DEVNULL,
    )


def test_it_serves_as_nobody_from_files_that_it_cannot_change(image):
    port = free_port()
    before = _state(image.root / "opt")
    with _started(image, port) as server:
        assert wait_until(lambda: _is_ready(port), PATIENCE)
        if (user := _runs_as(image)) is not None:
            status = Path(f"/proc/{server.pid}/status").read_text()
            assert f"Uid:\t{user}\t" in status
        healthy = json.dumps(image.words("HEALTHCHECK")).replace("8000", str(port))
        # Who starts containers asks several times, too.
        asked = json.loads(healthy)
        assert wait_until(lambda: _process(image, asked).wait(PATIENCE) == 0, PATIENCE)
        dead = json.dumps(image.words("HEALTHCHECK")).replace("8000", str(free_port()))
        assert _process(image, json.loads(dead)).wait(PATIENCE) != 0
    assert _state(image.root / "opt") == before
    assert (image.root / "data/runagents.sqlite3").exists()


def test_what_it_is_made_of_is_written_down_in_it(image):
    told = json.loads((image.root / "opt/runagents/sbom.cdx.json").read_text())
    listed = {(each["name"], each["version"]) for each in told["components"]}
    lock = (ROOT / "requirements.lock").read_text()
    wanted = [line.split()[0] for line in lock.splitlines() if "==" in line]
    assert {tuple(each.split("==")) for each in wanted} == listed


def _state(folder: Path) -> dict[str, float]:
    return {
        str(path): path.stat().st_mtime
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).is_success
    except httpx.HTTPError:
        return False

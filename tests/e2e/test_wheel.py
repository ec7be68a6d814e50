"""The wheel: built, installed into an empty environment as users do, and started."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from tests.e2e.processes import PATIENCE, PLAIN, ROOT, free_port, wait_until

pytestmark = pytest.mark.slow

TAKEN_ALONG = (
    "runagents/assets/templates/base.html",
    "runagents/assets/static/admin.css",
    "gateway/migrations/0001_initial.py",
)


def _run(*command: object, home: Path | None = None) -> str:
    done = subprocess.run(
        [str(each) for each in command],
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ if home is None else _environ(home),
        cwd=home,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _environ(home: Path) -> dict[str, str]:
    """Return what a shell of somebody has who never heard of this project."""
    data = {"HOME": str(home), "XDG_DATA_HOME": str(home / "share")}
    return {"PATH": os.environ["PATH"], **data}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
        *("--no-build-isolation", "--wheel-dir", folder, ROOT),
    )
    return next(folder.glob("*.whl"))


def _with_uv(folder: Path, wheel: Path) -> None:
    uv = Path(sysconfig.get_path("scripts"), "uv")
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder)
    _run(uv, "pip", "install", "--quiet", "--python", folder / "bin/python", wheel)


@pytest.fixture(scope="module")
def command(wheel, tmp_path_factory):
    """`runagents` in an environment that holds nothing but the wheel and its needs.

    Installed with uv; pip installs it where the image is built (tests/deploy).
    """
    folder = tmp_path_factory.mktemp("environment") / "env"
    _with_uv(folder, wheel)
    return folder / "bin/runagents"


def test_the_wheel_holds_what_the_console_shows_and_no_tests(wheel):
    names = ZipFile(wheel).namelist()
    assert set(TAKEN_ALONG) <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "var/"))]


def test_it_starts_serves_the_console_and_answers_a_call(command, tmp_path):
    port = free_port()
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [command, "serve", "--port", str(port)],
            cwd=tmp_path,
            env=_environ(tmp_path),
            stdout=log,
            stderr=log,
        )
    base = f"http://127.0.0.1:{port}"
    try:
        assert wait_until(lambda: _is_ready(base), PATIENCE), _log(tmp_path)
        data = tmp_path / "share/runagents-model-providers"
        assert (data / "runagents.sqlite3").exists()
        assert oct((data / "encryption_key").stat().st_mode)[-3:] == "600"
        page = _get(f"{base}/setup/", follow_redirects=True)
        assert page.status_code == 200
        sheet = next(part for part in page.text.split('"') if part.endswith(".css"))
        assert _get(base + sheet).status_code == 200
        key = _run(command, "createkey", "bot", home=tmp_path).strip()
        models = _get(f"{base}/v1/models", headers={"authorization": f"Bearer {key}"})
        assert models.json()["object"] == "list"
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0, _log(tmp_path)


def test_it_says_what_it_can_do_under_its_own_name(command, tmp_path):
    told = _run(command, home=tmp_path)
    assert told.startswith("runagents COMMAND [options]")
    assert "python manage.py" not in told


def _get(url: str, **options: Any) -> httpx.Response:
    return httpx.get(url, timeout=PATIENCE, **PLAIN, **options)


def _is_ready(base: str) -> bool:
    try:
        return _get(f"{base}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _log(folder: Path) -> str:
    return (folder / "log").read_text()

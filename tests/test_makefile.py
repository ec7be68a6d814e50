"""`make` on a machine that has something else than it needs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT

OLD = """#!/bin/sh
exec python3 -c 'import sys; sys.version_info = (3, 9, 2); exec(sys.argv[2])' "$@"
"""
# What Debian's Python does without python3-venv: half an environment, and status 1.
WITHOUT_VENV = """#!/bin/sh
[ "$1" = -c ] && exit 0
mkdir -p .venv/bin && ln -sf "$(command -v python3)" .venv/bin/python
exit 1
"""


@pytest.fixture
def make(tmp_path):
    """Runs make with the Python of the text given: `make(OLD)`."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()

    def run(python: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "python"
        path.write_text(python)
        path.chmod(0o700)
        return subprocess.run(
            ["make", "install", f"PYTHON={path}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_an_old_python_is_refused_in_a_sentence(make, tmp_path):
    done = make(OLD)
    said = done.stderr.splitlines()[0]
    assert said.startswith("Python 3.11 or newer is needed, this is 3.9.")
    assert "make run PYTHON=/path/to/python3.11" in said
    assert "import sys" not in done.stdout
    assert not Path(tmp_path, ".venv").exists()


def test_half_an_environment_does_not_stand_in_for_a_whole_one(make, tmp_path):
    assert make(WITHOUT_VENV).returncode == 2
    assert not Path(tmp_path, ".venv/bin/python").is_symlink()


@pytest.mark.proves("11.5")
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_every_package_is_locked_to_its_bytes(lock):
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and line[0] not in "# "]
    assert len(packages) > 20
    assert [each for each in packages if "==" not in each] == []
    assert [each for each in packages if "--hash=sha256:" not in each] == []
    installs = (ROOT / "Makefile").read_text().splitlines()
    assert all("--require-hashes" in each for each in installs if " -r " in each)

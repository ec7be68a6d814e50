"""deploy/release.sh: a release of a copy, from the changelog to the packages."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.e2e.processes import ROOT
from tests.services import packages

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Release"), ("EMAIL", "release@example.com"))
}
# Stands for the tools of the build: what they make is the test of the wheel's.
BUILD = """#!/bin/sh
echo "$0 $*" >> "$RECORD"
case "$*" in *" -d dist") mkdir -p dist && touch dist/one.whl dist/one.tar.gz;; esac
case "$0" in *cyclonedx-py) echo "{}" > dist/sbom.cdx.json;; esac
"""


@pytest.fixture
def copy(tmp_path):
    """A repository with this checkout's files, and `copy.release(VERSION)`."""

    class Copy:
        folder = tmp_path / "copy"
        record = tmp_path / "record"

        def git(self, *words):
            done = subprocess.run(
                ["git", *words],
                cwd=self.folder,
                env={**os.environ, **IDENTITY},
                capture_output=True,
                text=True,
                check=True,
            )
            return done.stdout

        def release(self, *words):
            path = f"{tmp_path / 'tools'}:{os.environ['PATH']}"
            return subprocess.run(
                [self.folder / "deploy/release.sh", *words],
                env={"PATH": path, "RECORD": str(self.record), **IDENTITY},
                capture_output=True,
                text=True,
                timeout=240,
            )

    made = Copy()
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, made.folder / name)
    # Whether something is unreleased at the moment is not what is tested.
    (made.folder / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Something.\n"
        "\n## [0.0.1] - 2026-01-01\n\n- The first.\n"
    )
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "As it is")
    for program in (
        made.folder / ".venv-build/bin/python",
        made.folder / ".venv-build/bin/cyclonedx-py",
        tmp_path / "tools/docker",
    ):
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(BUILD)
        program.chmod(0o755)
    (made.folder / ".venv-build/.installed").touch()
    return made


def test_a_release_is_dated_committed_tagged_and_built(copy):
    done = copy.release("12.3.4")
    assert done.returncode == 0, done.stderr
    assert copy.git("tag", "--points-at", "HEAD").split() == ["v12.3.4"]
    assert copy.git("status", "--porcelain") == ""
    assert copy.git("log", "-1", "--format=%s").strip() == "Release 12.3.4"
    changelog = (copy.folder / "CHANGELOG.md").read_text()
    dated = r"## \[Unreleased\]\n\n## \[12\.3\.4\] - \d{4}-\d\d-\d\d\n\n### Added\n"
    assert re.search(dated, changelog)
    init = (copy.folder / "runagents/__init__.py").read_text()
    assert '__version__ = "12.3.4"' in init
    manifest = (copy.folder / "deploy/kubernetes/gateway.yaml").read_text()
    assert "image: runagents-model-providers:12.3.4\n" in manifest
    asked = copy.record.read_text()
    assert "hatchling build -t wheel -t sdist -d dist" in asked
    assert "docker build --tag runagents-model-providers:12.3.4 ." in asked
    assert json.loads((copy.folder / "dist/sbom.cdx.json").read_text()) == {}


def test_the_packages_are_of_the_release(copy):
    packages("hatchling")
    python = copy.folder / ".venv-build/bin/python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    done = copy.release("12.3.4")
    assert done.returncode == 0, done.stderr
    built = {path.name for path in (copy.folder / "dist").iterdir()}
    assert "runagents_model_providers-12.3.4-py3-none-any.whl" in built
    assert "runagents_model_providers-12.3.4.tar.gz" in built


def test_a_client_of_containers_without_its_daemon_does_not_end_a_release(copy):
    for engine in ("docker", "podman"):
        program = copy.folder.parent / "tools" / engine
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
    done = copy.release("12.3.4")
    assert done.returncode == 0, done.stderr
    assert "git push --follow-tags" in done.stdout


def test_what_is_no_release_is_refused_and_changes_nothing(copy):
    def is_refused(words, *arguments):
        before = copy.git("rev-parse", "HEAD"), copy.git("status", "--porcelain")
        done = copy.release(*arguments)
        assert done.returncode == 1
        assert words in done.stderr
        after = copy.git("rev-parse", "HEAD"), copy.git("status", "--porcelain")
        assert after == before

    is_refused("Usage")
    is_refused("Usage", "v1.2")
    is_refused("comes before", "0.0.1")
    copy.git("tag", "v2.0.0")
    is_refused("tag v2.0.0", "2.0.0")
    changelog = copy.folder / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\n## [Unreleased]\n\n## [0.0.1]\n\n- Old.\n")
    is_refused("changes", "3.0.0")
    copy.git("commit", "--all", "--quiet", "--message", "Nothing to release")
    is_refused("nothing under Unreleased", "3.0.0")
    assert not copy.record.exists()

"""docs/operating.md: each command in it is run, or what it names is looked at.

Blocks marked `sh` run as they stand, against real servers. Those marked `sh container`
run with programs in the place of docker, kubectl and systemctl that write down what
they are asked; whatever files that names have to be there and to be well-formed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from tests import services
from tests.e2e import clusters
from tests.e2e.processes import ROOT, Server

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs/operating.md").read_text()
STUBS = ("docker", "kubectl", "systemctl", "nginx", "install")
RECORD = """#!/bin/sh
python3 -c 'import json, os, sys; print(json.dumps(sys.argv[1:]))' \
    "$(basename "$0")" "$@" >> "$RECORD"
"""
# What makes a server run, or asks one that does.
RUNAGENTS = f"""#!/bin/sh
exec {sys.executable} {ROOT}/manage.py "$@"
"""


def _blocks(mark: str) -> dict[str, list[str]]:
    """Return the blocks of commands with a mark, by the section that they stand in."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in re.findall(r"^## [^\n]*$|^```sh.*?^```$", PAGE, re.M | re.S):
        if line.startswith("## "):
            section = line[3:]
            continue
        first, _, rest = line.partition("\n")
        if first == f"```{mark}":
            found[section].append(rest.removesuffix("```"))
    return dict(found)


PLAIN, CONTAINER = _blocks("sh"), _blocks("sh container")


def test_every_block_of_commands_is_one_of_these_two():
    count = sum(map(len, [*PLAIN.values(), *CONTAINER.values()]))
    assert len(re.findall(r"^```\w", PAGE, re.M)) == count
    assert count > 15


def _program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def _bash(script: str, environ: dict[str, str], folder: Path) -> dict[str, str]:
    """Run commands until one fails; returns the variables that they leave."""
    kept = folder / ".environ"
    done = subprocess.run(
        ["bash", "-euc", f"{script}\nenv -0 > {kept}"],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    pairs = kept.read_text().rstrip("\0").split("\0")
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.fixture
def checkout(tmp_path):
    """What is in the repository, in a folder of its own."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, done.stdout.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def running(tmp_path, installation):
    """A server that runs, and stops in the end."""
    server = Server(tmp_path)
    server.adopt(installation)
    yield server.start()
    server.stop()


@pytest.fixture
def databases():
    """The addresses of a PostgreSQL with an installation, and of an empty one."""
    # pytest's own folders are closed to the account that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        cluster = clusters.Cluster(Path(folder))
        cluster.start()
        yield cluster.database("live"), cluster.database("restored")
        cluster.stop()


@pytest.mark.parametrize("section", PLAIN)
def test_the_commands_of_a_section_run(section, checkout, running, request):
    tools = checkout.parent / "tools"
    _program(tools, "runagents", RUNAGENTS)
    scripts = sysconfig.get_path("scripts")
    environ = {
        **running.environ,
        "PATH": f"{tools}:{scripts}:{os.environ['PATH']}",
        "HOME": str(checkout.parent),
        # What is installed starts once.
        "PIP_NO_COMPILE": "1",
    }
    for block in PLAIN[section]:
        if "$DATABASE_URL" in block:
            services.program("pg_dump")
            live, restored = request.getfixturevalue("databases")
            environ |= {"DATABASE_URL": live, "RESTORED_DATABASE_URL": restored}
            _bash("runagents migrate --verbosity 0", environ, checkout)
        if "runagents restore" in block:
            running.stop()
        environ = _bash(block, environ, checkout)
    if "RESTORED_DATABASE_URL" in environ:
        environ["DATABASE_URL"] = environ["RESTORED_DATABASE_URL"]
        _bash("runagents migrate --check", environ, checkout)


@pytest.mark.parametrize("section", CONTAINER)
def test_what_other_programs_are_asked_names_files_that_there_are(section, tmp_path):
    for name in STUBS:
        _program(tmp_path / "tools", name, RECORD)
    record = tmp_path / "record"
    environ = {
        "PATH": f"{tmp_path / 'tools'}:{os.environ['PATH']}",
        "RECORD": str(record),
        **dict.fromkeys(("SECRET_KEY", "ENCRYPTION_KEYS"), "x"),
        **dict.fromkeys(("DATABASE_URL", "REDIS_URL"), "x"),
    }
    for block in CONTAINER[section]:
        done = subprocess.run(["bash", "-euc", block], env=environ, cwd=ROOT)
        assert done.returncode == 0, block
    asked = [json.loads(line) for line in record.read_text().splitlines()]
    lines = "".join(CONTAINER[section]).splitlines()
    assert len(asked) == sum(line.startswith(STUBS) for line in lines)
    for word in (word for words in asked for word in words if "deploy/" in word):
        _is_well_formed(ROOT / word)


def _is_well_formed(path: Path) -> None:
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    assert files
    for file in files:
        text = file.read_text()
        match file.suffix:
            case ".yaml":
                assert all(yaml.safe_load_all(text))
            case ".service" | ".timer":
                assert re.search(r"^\[Unit\]$", text, re.M)
            case ".conf":
                assert text.count("{") == text.count("}") > 0

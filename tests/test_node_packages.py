"""Packages of Node.js are installed once, however many processes want them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import node_packages

# Fails where it runs twice at once, as it would delete what the other one brought.
NPM = """#!/bin/sh
mkdir running || exit 1
echo npm >> ran
sleep 0.1
rmdir running
"""


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o700)


def test_packages_are_installed_once_for_all_who_ask(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("package.json", "package-lock.json", "agent.mjs"):
        (source / name).write_text(name)
    program(tmp_path / "npm", NPM)
    program(tmp_path / "node", "#!/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with ThreadPoolExecutor(4) as threads:
        (folder,) = set(threads.map(node_packages.installed, [source] * 4))
    assert (folder / "ran").read_text() == "npm\n"
    assert (folder / "agent.mjs").read_text() == "agent.mjs"

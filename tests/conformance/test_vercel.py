"""Vercel's AI SDK against the gateway, with its provider for OpenAI's format."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import SPOKEN

SOURCE = Path(__file__).parent / "vercel"
INSTALL_SECONDS = 120
RUN_SECONDS = 60

pytestmark = pytest.mark.slow

each_provider = pytest.mark.parametrize("model", SPOKEN.values(), ids=SPOKEN.keys())


@pytest.fixture(scope="module")
def package() -> Path:
    """The SDK, installed as its lock says into a folder that later runs find again."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    lock = (SOURCE / "package-lock.json").read_bytes()
    name = f"runagents-vercel-{hashlib.sha256(lock).hexdigest()[:16]}"
    folder = Path(os.environ.get("XDG_CACHE_HOME", tempfile.gettempdir())) / name
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / file, folder)
        _install(folder)
    shutil.copy(SOURCE / "agent.mjs", folder)
    return folder


def _install(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=INSTALL_SECONDS
        )
        problem = done.stderr.decode()[-500:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        problem = "npm took too long"
    if problem and os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(f"npm ci failed: {problem}")
    if problem:
        pytest.skip(f"npm ci failed, perhaps for want of a network: {problem}")
    (folder / "installed").touch()


@pytest.fixture(scope="module")
def told(package: Path, speaking) -> dict[str, Any]:
    """What the agent got, by model."""
    environ = {
        "PATH": os.environ["PATH"],
        "BASE_URL": speaking.base_url,
        "API_KEY": speaking.key,
        "MODELS": " ".join(SPOKEN.values()),
    }
    done = subprocess.run(
        ["node", "agent.mjs"],
        cwd=package,
        env=environ,
        capture_output=True,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stderr.decode()
    # The SDK prints warnings and advice before.
    return json.loads(done.stdout.splitlines()[-1])


@each_provider
def test_a_conversation_with_tools(told, model):
    assert told[model]["conversation"] == {
        "text": "Paris: 18 degrees. Rome: 24 degrees.",
        "calls": [{"city": "Paris"}, {"city": "Rome"}],
        "finishReason": "stop",
        "tokens": 36,
    }


@each_provider
def test_a_streamed_conversation_with_tools(told, model):
    got = told[model]["streamedConversation"]
    assert "".join(got["pieces"]) == "Paris: 18 degrees. Rome: 24 degrees."
    assert got["finishReason"] == "stop"


@each_provider
def test_a_stream(told, model):
    got = told[model]["stream"]
    assert "".join(got["pieces"]) == "You said: What is the weather?"
    assert len(got["pieces"]) >= 2


@each_provider
def test_a_structured_answer(told, model):
    assert told[model]["structured"] == {"city": "Paris", "degrees": 18}

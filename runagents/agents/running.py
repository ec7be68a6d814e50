"""Runs a built-in agent as a process of its own, with its environment and no more."""

import re
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from django.utils import timezone

from runagents.agents import hello_world
from runagents.agents.models import Agent, AgentKey
from runagents.agents.registration import connections
from runagents.agents.wiring import environment

SOURCES = {"hello-world": Path(hello_world.__file__)}
"""Built-in agents by `Agent.builtin`: where their source is."""

# The page that waits for it gives up after 30 seconds.
TIMEOUT = 28.0
MAX_OUTPUT = 64 * 1024
_KEYS = re.compile(r"\b(ra_(?:ag|ws)|sk|sandbox)[_-][A-Za-z0-9_-]{8,}")


class Run(NamedTuple):
    """How a run ended and what it printed."""

    output: str
    exit_code: int | None
    seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether the agent itself says that all went well."""
        return self.exit_code == 0

    @property
    def timed_out(self) -> bool:
        """Whether the agent had to be stopped."""
        return self.exit_code is None


def run(agent: Agent, base_url: str, timeout: float = TIMEOUT) -> Run:
    """Run the built-in `agent` against the gateway at `base_url`.

    The process gets a key of the agent's own that is revoked when it ends and expires
    in any case. Raises ValueError for an agent whose source is not ours.
    """
    source = SOURCES.get(agent.builtin)
    if source is None:
        raise ValueError(f"{agent.name} is not a built-in agent")
    key = AgentKey.issue(agent)
    row = AgentKey.objects.get(digest=key.digest)
    row.expires_at = timezone.now() + timedelta(seconds=timeout + 30)
    row.save(update_fields=["expires_at"])
    values = environment(
        agent.name,
        connections(agent),
        base_url,
        key=key.plaintext,
        system_prompt=agent.system_prompt,
    )
    try:
        return execute(source, values, timeout)
    finally:
        row.delete()


def execute(source: Path, values: dict[str, str], timeout: float) -> Run:
    """Run the Python file `source` with exactly the environment `values`.

    Output past MAX_OUTPUT is cut, and nothing in it that looks like a key is kept.
    """
    started = time.monotonic()
    stopped = threading.Event()
    with (
        tempfile.TemporaryDirectory(prefix="agent-") as folder,
        subprocess.Popen(  # noqa: S603  our own interpreter and our own source
            # -I: no PYTHON* variables, no user packages, no folder of ours on the path.
            [sys.executable, "-I", str(source)],
            env=values,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        timer = threading.Timer(timeout, _stop, [process, stopped])
        timer.start()
        try:
            output = process.stdout.read(MAX_OUTPUT + 1) if process.stdout else b""
            if len(output) > MAX_OUTPUT:
                process.kill()
            code = process.wait()
        finally:
            timer.cancel()
    text = redacted(output[:MAX_OUTPUT].decode(errors="replace"), values)
    if len(output) > MAX_OUTPUT:
        text += f"\n[cut after {MAX_OUTPUT // 1024} KiB]\n"
    seconds = time.monotonic() - started
    return Run(text, None if stopped.is_set() else code, seconds)


def _stop(process: subprocess.Popen[bytes], stopped: threading.Event) -> None:
    stopped.set()
    process.kill()


def redacted(text: str, values: dict[str, str]) -> str:
    """Return `text` without the agent's key and anything shaped like a key."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        if len(values.get(name, "")) > 20:
            text = text.replace(values[name], "[redacted]")
    return _KEYS.sub("[redacted]", text)

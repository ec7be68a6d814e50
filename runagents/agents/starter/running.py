"""Runs a built-in agent as a process of its own, with its environment and no more."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from asgiref.sync import sync_to_async
from django.utils import timezone

from providers import key_shapes
from runagents.agents.models import Agent, AgentKey
from runagents.agents.registration import environment_of
from runagents.agents.starter import hello_world
from runagents.agents.wiring import key_variables

SOURCES = {"hello-world": Path(hello_world.__file__)}
"""Built-in agents by `Agent.builtin`: where their source is."""

TIMEOUT = 60.0
MAX_OUTPUT = 64 * 1024
# How often the page that watches is told something, at most.
TELL_SECONDS = 0.2


class Run(NamedTuple):
    """How far a run is: what it printed so far, and how it ended if it did.

    `exit_code` is None while it runs and when it had to be stopped.
    """

    output: str
    exit_code: int | None
    seconds: float
    is_running: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the agent itself says that all went well."""
        return self.exit_code == 0

    @property
    def timed_out(self) -> bool:
        """Whether the agent had to be stopped."""
        return self.exit_code is None and not self.is_running


async def run(
    agent: Agent, base_url: str, seconds: float = TIMEOUT
) -> AsyncGenerator[Run, None]:
    """Run the built-in `agent` against the gateway at `base_url` and yield its state.

    The process gets a key of the agent's own that is deleted when it ends and expires
    in any case. Raises ValueError for an agent whose source is not ours.
    """
    source = SOURCES.get(agent.builtin)
    if source is None:
        raise ValueError(f"{agent.name} is not a built-in agent")
    row, values = await sync_to_async(_prepared)(agent, base_url, seconds)
    try:
        async with aclosing(execute(source, values, seconds)) as states:
            async for state in states:
                yield state
    finally:
        await sync_to_async(row.delete)()


def _prepared(
    agent: Agent, base_url: str, seconds: float
) -> tuple[AgentKey, dict[str, str]]:
    """Return a key for one run, and the environment with it."""
    key = AgentKey.issue(agent)
    row = AgentKey.objects.get(digest=key.digest)
    row.expires_at = timezone.now() + timedelta(seconds=seconds + 30)
    row.save(update_fields=["expires_at"])
    return row, environment_of(agent, base_url, key.plaintext)


async def finish(states: AsyncGenerator[Run, None]) -> Run:
    """Return the last state of a run."""
    last = Run("", None, 0.0)
    async with aclosing(states):
        async for state in states:
            last = state
    return last


async def execute(
    source: Path, values: dict[str, str], seconds: float
) -> AsyncGenerator[Run, None]:
    """Run the Python file `source` with exactly the environment `values`.

    Yields what it printed so far, line by line, and how it ended. Output past
    MAX_OUTPUT is cut, and nothing in it that looks like a key is kept. Whoever stops
    listening ends the process.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="agent-") as folder:
        process = await asyncio.create_subprocess_exec(
            # -I: no PYTHON* variables, no user packages, no folder of ours on the path.
            sys.executable,
            "-I",
            str(source),
            env=values,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, told, told_at, has_ended = b"", -1, started, False
        try:
            while time.monotonic() - started < seconds and len(output) <= MAX_OUTPUT:
                part = await _part(process)
                has_ended = part == b""
                if has_ended:
                    break
                output += part or b""
                # A line at a time: half a key must not slip by.
                whole, now = output.rfind(b"\n") + 1, time.monotonic()
                if whole != told and (part is None or now - told_at > TELL_SECONDS):
                    told, told_at = whole, now
                    yield Run(_text(output[:whole], values), None, now - started, True)
        finally:
            if not has_ended:
                process.kill()
            # Read to the end: else the pipe stays open, and with it the wait.
            await process.communicate()
    is_cut = len(output) > MAX_OUTPUT
    yield Run(
        _text(output, values),
        process.returncode if has_ended or is_cut else None,
        time.monotonic() - started,
    )


async def _part(process: asyncio.subprocess.Process) -> bytes | None:
    """Return what is printed next: empty at the end, None while nothing comes."""
    if process.stdout is None:
        return b""
    try:
        return await asyncio.wait_for(process.stdout.read(16384), TELL_SECONDS)
    except TimeoutError:
        return None


def _text(output: bytes, values: dict[str, str]) -> str:
    text = redacted(output[:MAX_OUTPUT].decode(errors="replace"), values)
    if len(output) > MAX_OUTPUT:
        text += f"\n[cut after {MAX_OUTPUT // 1024} KiB]\n"
    return text


def redacted(text: str, values: dict[str, str]) -> str:
    """Return `text` without the agent's key and anything shaped like a key."""
    for name in key_variables():
        if len(values.get(name, "")) > 20:
            text = text.replace(values[name], key_shapes.REDACTED)
    return key_shapes.redacted(text)

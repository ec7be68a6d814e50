"""What a call waits for while a backup is made."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import asking
from tests.benchmarks.production import steady
from tests.benchmarks.targets import ROOT
from tests.e2e import registries
from tests.e2e.processes import Server

RATE = 100
"""Calls a second."""
WARM_SECONDS = 5.0


class Delays(NamedTuple):
    """Milliseconds that calls took, and how many there were."""

    p50: float
    p99: float
    longest: float
    calls: int


def measure(folder: Path, upstream: int, rows: int, rounds: int) -> dict[str, Delays]:
    """Ask steadily while a database of so many rows is backed up, and without, in turn.

    As much time without as with; two workers, for console and chores have one as well.
    """
    server = Server(folder, workers=2, STATUS_CHECK_SECONDS="86400")
    server.run("-m", "tests.benchmarks.console.crowd", "20", str(rows))
    url = f"http://127.0.0.1:{upstream}"
    provider = registries.openai("steady", url, "steady", private_network=True)
    server.apply(registries.registry(provider))
    request = _request(server.key("bench", "steady"))
    server.start()
    found: dict[str, list[float]] = {"without": [], "during a backup": []}
    without, during = found.values()
    try:
        steady.ask(server.port, request, RATE, _after(WARM_SECONDS))
        for _ in range(rounds):
            began = time.monotonic()
            during += _backed_up(server, request, folder)
            took = time.monotonic() - began
            without += steady.ask(server.port, request, RATE, _after(took))
    finally:
        server.stop()
    return {name: _delays(times) for name, times in found.items()}


def _request(key: str) -> bytes:
    body = b'{"model":"steady","messages":[{"role":"user","content":"hi"}]}'
    headers = {"Host": "localhost", "Content-Type": "application/json"}
    headers["Authorization"] = f"Bearer {key}"
    return asking.request("/v1/chat/completions", body, headers)


def _backed_up(server: Server, request: bytes, folder: Path) -> list[float]:
    """Ask until a backup is made; raises RuntimeError where none is."""
    command = [sys.executable, "manage.py", "backup", str(folder / "backup")]
    environ = {**server.environ, "BACKUP_PASSPHRASE": "long enough for a benchmark"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL
    ) as process:
        times = steady.ask(
            server.port, request, RATE, lambda: process.poll() is not None
        )
    if process.returncode:
        raise RuntimeError("No backup was made.")
    return times


def _after(seconds: float) -> Callable[[], bool]:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() >= ends


def _delays(times: list[float]) -> Delays:
    ordered = sorted(times)
    p50, p99, longest = (
        ordered[int(share * (len(ordered) - 1))] * 1000 for share in (0.5, 0.99, 1)
    )
    return Delays(p50, p99, longest, len(ordered))

"""Charges gateways with what they spend on calls, in short slices and in turn."""

import http.client
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from tests.benchmarks import asking, processes
from tests.benchmarks.asking import Asked
from tests.benchmarks.rows import Row
from tests.benchmarks.targets import Target

CONNECTIONS = 16
SMALL_STREAMS = 50
"""Slow streams that are open at once: they leave a gateway idle most of the time."""
WARM_SECONDS = 0.3
IDLE_SECONDS = 8.0
SETTLE_SECONDS = 20.0
LOOK_SECONDS = 0.1
QUIET_SECONDS = 0.005


class Result(NamedTuple):
    """One slice: CPU microseconds per call, calls per second, milliseconds, errors."""

    cpu: float
    rate: float
    p50: float
    p99: float
    errors: int


Slices = dict[str, dict[str, list[Result]]]
"""What was measured, by row and gateway, slice by slice."""


def warm(target: Target, rows: Sequence[Row]) -> list[Row]:
    """Let a gateway learn all that it learns once; return the rows that it answers."""
    able = []
    for row in rows:
        if row.kind in target.models and _answers(target, row):
            _ask(target, row, WARM_SECONDS)
            able.append(row)
    return able


def idle(targets: Sequence[Target]) -> dict[str, float]:
    """Return the share of a core that each gateway takes when nobody calls."""
    time.sleep(max(target.settles for target in targets))
    spent = [-_spent(target) for target in targets]
    time.sleep(IDLE_SECONDS)
    for place, target in enumerate(targets):
        spent[place] += _spent(target)
    return {
        target.name: seconds / IDLE_SECONDS
        for target, seconds in zip(targets, spent, strict=True)
    }


def measure(
    asked: Sequence[tuple[Row, Target]],
    rounds: int,
    seconds: float,
    shares: dict[str, float],
) -> Slices:
    """Ask for rows in turn, round by round, for some seconds each.

    What a call leaves to do is charged to it, and done while others are asked. Each
    round begins with another pair, so that nobody always follows the same.
    """
    found: Slices = {row.name: {} for row, _ in asked}
    meters = {target.name: _Meter(target, shares[target.name]) for _, target in asked}
    turns = deque(asked)
    for _ in range(rounds):
        for row, target in turns:
            results = found[row.name].setdefault(target.name, [])
            meters[target.name].run(row, seconds, results)
        turns.rotate(-1)
    for meter in meters.values():
        meter.charge()
    return found


class _Meter:
    """What one gateway spends from the first call of a slice until it is at rest."""

    def __init__(self, target: Target, idle_share: float) -> None:
        self._target = target
        self._idle_share = idle_share
        self._pids: set[int] = set()
        self._running: tuple[Asked, list[Result]] | None = None
        self._began = self._ended = self._before = 0.0

    def run(self, row: Row, seconds: float, results: list[Result]) -> None:
        """Ask for a row; its result is added to `results` once it is charged."""
        self.charge()
        self._pids = processes.tree(self._target.port)
        self._began = time.monotonic()
        self._before = processes.cpu_seconds(self._pids)
        self._running = _ask(self._target, row, seconds), results
        self._ended = time.monotonic()

    def charge(self) -> None:
        """Wait until what the last slice put off is done, and charge it."""
        if self._running is None:
            return
        self._settle()
        (asked, results), self._running = self._running, None
        spent = processes.cpu_seconds(self._pids) - self._before
        spent -= self._idle_share * (time.monotonic() - self._began)
        calls = max(asked.calls, 1)
        rate = asked.calls / asked.seconds
        results.append(
            Result(spent / calls * 1e6, rate, asked.p50, asked.p99, asked.errors)
        )

    def _settle(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        time.sleep(max(0.0, self._ended + self._target.settles - time.monotonic()))
        while time.monotonic() < deadline:
            before = processes.cpu_seconds(self._pids)
            time.sleep(LOOK_SECONDS)
            spent = processes.cpu_seconds(self._pids) - before
            if spent <= self._idle_share * LOOK_SECONDS + QUIET_SECONDS:
                return


def _ask(target: Target, row: Row, seconds: float) -> Asked:
    requests = [target.request(row)]
    if row.flavour:
        # One stream each: they take longer than any slice.
        return asking.ask(target.port, requests, SMALL_STREAMS, calls=SMALL_STREAMS)
    return asking.ask(target.port, requests, CONNECTIONS, seconds=seconds)


def _answers(target: Target, row: Row) -> bool:
    """Ask once and look at the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    body = row.request(target.models[row.kind])
    try:
        connection.request("POST", row.path, body, target.headers_for(row))
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        print(f"{row.name}: {target.name} fails: {error!r}", flush=True)
        return False
    finally:
        connection.close()
    if answer.status != 200:
        said = f"{answer.status}: {text[:200]!r}"
        print(f"{row.name}: {target.name} fails: {said}", flush=True)
    return answer.status == 200


def _spent(target: Target) -> float:
    return processes.cpu_seconds(processes.tree(target.port))

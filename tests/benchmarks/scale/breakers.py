"""A provider that fails for a while: how many calls it gets all the same."""

import asyncio
import random
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.worker.gates import Gates
from tests.benchmarks.scale.fleet import Load, arrive

MODEL = "model"
ANSWER_SECONDS = 1.0
"""How long the provider takes while it is well."""


class Failure(NamedTuple):
    """From when until when it fails, after how long a wait, reached or not."""

    begins: float
    ends: float
    wait: float
    is_reached: bool


class Outcome(NamedTuple):
    """What became of calls, and when the last breaker had opened (from the begin)."""

    calls: int
    hits: int
    hits_before_all: int
    opened_after: float
    refused_when_well: int
    well_again_after: list[float]
    """By host, from the end of the failure, in order."""


async def simulate(
    folder: Path, load: Load, workers: int, failure: Failure, seed: int = 1
) -> Outcome:
    """Let calls come to `workers` on each host while the provider fails for a while."""
    loop, chance = asyncio.get_running_loop(), random.Random(seed)
    began = loop.time()
    row = SimpleNamespace(uid="00000000-0000-0000-0000-000000000000", version=1)
    provider: object = SimpleNamespace(row=row, name="provider")
    gates = [
        [Gates(folder / f"host-{host}", loop.time) for _ in range(workers)]
        for host in range(len(load.shares))
    ]
    hits: list[float] = []
    opened: dict[int, float] = {}
    refused: list[tuple[float, int]] = []
    calls = 0

    def since() -> float:
        return loop.time() - began

    async def call(host: int) -> None:
        nonlocal calls
        calls += 1
        gate = chance.choice(gates[host])
        try:
            gate.pass_through(provider, MODEL)  # type: ignore[arg-type]
        except GatewayError:
            opened.setdefault(id(gate), since())
            refused.append((since(), host))
            return
        if not failure.begins <= since() < failure.ends:
            await asyncio.sleep(ANSWER_SECONDS)
            gate.answered(provider, MODEL)  # type: ignore[arg-type]
            return
        hits.append(since())
        await asyncio.sleep(failure.wait)
        if failure.is_reached:
            gate.failed(provider, MODEL)  # type: ignore[arg-type]
        else:
            gate.unreached(provider)  # type: ignore[arg-type]

    await arrive(load, chance, call)
    last = max(opened.values(), default=0.0)
    late = [each for each in refused if each[0] >= failure.ends]
    return Outcome(
        calls,
        len(hits),
        sum(each <= last for each in hits),
        last - failure.begins,
        len(late),
        # The last of each host, which are in the order in which they came.
        sorted(when - failure.ends for when in {h: t for t, h in late}.values()),
    )

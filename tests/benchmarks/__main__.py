"""What a call costs the gateway, beside the floor and other gateways: `make bench`.

    python -m tests.benchmarks [--quick] [--before FOLDER] [--peer SPEC ...] [--write]

Needs Linux's /proc. One worker on one core; load and upstream have the other
cores. All gateways are asked in turn, row by row, in one run, and what a call leaves to
do (its row of usage) is waited for and charged. Everything is on: key, limit, a stored
key of the provider, usage rows. Quote ratios of one run, not microseconds.

A peer is another gateway that listens already and calls the upstream on port 9910:
NAME PORT KIND=MODEL... 'HEADER: VALUE'... (docs/performance.md says how to start some).
--before measures another checkout, with an environment of its own, beside this one.
--write puts the figures into docs/performance.md.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.benchmarks import asking, lifetime, live, load, page, processes
from tests.benchmarks.live import Live
from tests.benchmarks.load import Slices
from tests.benchmarks.page import Report
from tests.benchmarks.rows import LIVE_ROWS, MODELS, ROWS, Row, named, together
from tests.benchmarks.targets import (
    ROOT,
    Served,
    Target,
    crowd,
    floor,
    gateway,
    peer,
    version_of,
)

QUICK, WHOLE = (4, 0.4, 1), (11, 1.0, 3)
"""Rounds, the seconds of a slice, and how often live streams are looked at."""
LIVE_STREAMS = (100, 200)
FEW_STREAMS = 20


def main() -> None:
    """Measure, print, and write the page where that is asked for."""
    options = _options()
    processes.make_way()
    # Ended from outside, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.upstream", str(options.port)],
            cwd=ROOT,
        )
        stack.callback(upstream.terminate)
        time.sleep(1)
        if upstream.poll() is not None:
            sys.exit(f"port {options.port} is taken; name another with --port")
        served = _served(stack, options, folder)
        peers = [peer(spec, options.port) for spec in options.peer]
        targets = [*(each.target for each in served), *peers]
        report = _measure(options, served, targets)
    print("\n" + page.text(report))
    if options.write:
        page.write(report)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few minutes, once")
    parser.add_argument("--before", type=Path, metavar="FOLDER")
    parser.add_argument("--peer", action="append", default=[], metavar="SPEC")
    parser.add_argument("--write", action="store_true", help="docs/performance.md")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--port", type=int, default=9910, help="of the upstream")
    parser.add_argument("--rounds", type=int, help="how often each row is asked for")
    options = parser.parse_args()
    rounds, options.seconds, options.looks = QUICK if options.quick else WHOLE
    options.rounds = options.rounds or rounds
    return options


def _served(
    stack: ExitStack, options: argparse.Namespace, folder: Path
) -> list[Served]:
    """Start what is ours to start, until the stack is left."""
    served = [gateway(stack, "ours", folder, options.port, ROOT)]
    if options.before is not None:
        before = options.before.resolve()
        served.append(gateway(stack, "before", folder, options.port, before))
    return [*served, floor(stack, folder, options.port)]


def _measure(
    options: argparse.Namespace, served: list[Served], targets: list[Target]
) -> Report:
    rows = named(options.only)
    able = {target.name: load.warm(target, rows) for target in targets}
    shares = load.idle(targets)
    calls: Slices = {}
    for group in together(rows):
        asked = [
            (row, each) for row in group for each in targets if row in able[each.name]
        ]
        calls |= _in_turn(asked, options, shares)
    names = [target.name for target in targets]
    report = Report(_how(options), names, calls, {}, {}, {})
    if not options.only:
        report.live.update(_streams(targets, options))
        for each in served:
            name = each.server.name
            found = lifetime.follow(each, whole=not options.quick)
            report.lifetimes[name] = found
            print(f"{name}: {found}", flush=True)
        crowd(served[0].server)
        asked = [(ROWS[0], each) for each in targets if ROWS[0] in able[each.name]]
        report.crowded.update(_in_turn(asked, options, load.idle(targets)))
    return report


def _in_turn(
    asked: list[tuple[Row, Target]],
    options: argparse.Namespace,
    shares: dict[str, float],
) -> Slices:
    """Ask for rows of gateways in turn, and tell what came of it."""
    found = load.measure(asked, options.rounds, options.seconds, shares)
    for row, slices in found.items():
        told = [f"{name} {page.told(each)}" for name, each in slices.items()]
        print(f"{row}: {', '.join(told)}", flush=True)
    return found


def _live(
    name: str,
    targets: list[Target],
    options: argparse.Namespace,
    measure: Callable[[Target], Live],
) -> dict[str, Live]:
    """Measure live streams of every target and straight to the upstream; medians."""
    straight = Target(
        "straight to the upstream", options.port, MODELS, [], options.port
    )
    found = {}
    for target in [straight, *targets]:
        runs = [measure(target) for _ in range(options.looks)]
        found[target.name] = sorted(runs, key=lambda run: run.p99)[len(runs) // 2]
    told = ", ".join(f"{target} {each} ms" for target, each in found.items())
    print(f"{name}: {told}", flush=True)
    return found


def _streams(
    targets: list[Target], options: argparse.Namespace
) -> dict[str, dict[str, Live]]:
    """Measure what tokens of live streams wait: many streams, and few beside images."""
    found = {}
    for count in LIVE_STREAMS:
        for row in LIVE_ROWS:
            able = [target for target in targets if row.kind in target.models]
            name = f"{count} of {row.name}"
            measure = partial(live.measure, row=row, streams=count)
            found[name] = _live(name, able, options, measure)
    name = f"{FEW_STREAMS} of OpenAI, beside images of 1 MB"
    able = [target for target in targets if "openai" in target.models]
    found[name] = _live(name, able, options, _beside_images)
    return found


def _beside_images(target: Target) -> Live:
    """Measure a few streams while one client sends image after image."""
    image = next(row for row in ROWS if row.name == "OpenAI, 1 MB image")
    request = [target.request(image)]
    with ThreadPoolExecutor(1) as pool:
        images = pool.submit(asking.ask, target.port, request, 1, seconds=4)
        time.sleep(0.5)
        found = live.measure(target, LIVE_ROWS[0], FEW_STREAMS)
        images.result()
    return found


def _how(options: argparse.Namespace) -> str:
    """Return what was measured, and how."""
    day = datetime.now(UTC).date()
    before = f", before is {version_of(options.before)}" if options.before else ""
    return (
        f"Measured {day} at {version_of(ROOT)}{before}: one worker on one core, "
        f"{load.CONNECTIONS} connections, {options.rounds} rounds of "
        f"{options.seconds} s each in turn."
    )


if __name__ == "__main__":
    main()

"""What passes a limit, and what reaches a failing provider, over a hundred hosts.

    python -m tests.benchmarks.scale [--hosts 100]

Some minutes of calls on a simulated clock take about one of this machine's.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

import django

FOLDER = tempfile.TemporaryDirectory()
os.environ.update(
    DJANGO_SETTINGS_MODULE="runagents.settings",
    RUNAGENTS_DATA_DIR=FOLDER.name,
    LOG_LEVEL="CRITICAL",
)
django.setup()

from tests.benchmarks.scale import breakers, clock, limits  # noqa: E402
from tests.benchmarks.scale.breakers import Failure  # noqa: E402
from tests.benchmarks.scale.fleet import Load, even, uneven  # noqa: E402
from tests.benchmarks.scale.limits import Trouble  # noqa: E402

HOSTS, WORKERS = 100, 10
LIMIT, LIMITED_PER_SECOND, LIMITED_SECONDS = 6_000, 150.0, 240.0
CALLS_PER_SECOND, BEGINS, ENDS, AFTERWARDS = 2_000.0, 5.0, 35.0, 70.0

AWAY = Trouble(away_from=80, away_until=140)
LIMITS = (
    ("Redis is well", even, Trouble()),
    ("well, calls spread unevenly", uneven, Trouble()),
    ("one answer in a thousand takes 150 ms", even, Trouble(late_share=0.001)),
    ("one in fifty does", even, Trouble(late_share=0.02)),
    ("Redis is away for 60 s", even, AWAY),
    ("away, calls spread unevenly", uneven, AWAY),
)
BREAKERS = (
    ("cannot be reached", even, Failure(BEGINS, ENDS, 0.002, False)),
    ("the same, calls spread unevenly", uneven, Failure(BEGINS, ENDS, 0.002, False)),
    ("answers 500 after 0.2 s", even, Failure(BEGINS, ENDS, 0.2, True)),
    ("no connection within 5 s", even, Failure(BEGINS, ENDS, 5.0, False)),
)


def main() -> None:
    """Simulate and print the tables of docs/scale.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=HOSTS)
    hosts = parser.parse_args().hosts
    with FOLDER as folder:
        _limits(Path(folder), hosts)
        print()
        _breakers(Path(folder), hosts)


def _limits(folder: Path, hosts: int) -> None:
    _print(
        f"A limit of {LIMIT:,}, {hosts} hosts",
        "admitted in 60 s at most",
        "over",
        "refused needlessly",
        "held up, p99",
    )
    for number, (name, shares, trouble) in enumerate(LIMITS):
        place = folder / f"limits-{number}"
        place.mkdir()
        load = Load(LIMITED_PER_SECOND, LIMITED_SECONDS, shares(hosts))
        found = clock.run(limits.simulate(place, LIMIT, load, trouble))
        calls = len(found.waits)
        _print(
            name,
            f"{found.most:,}",
            f"{max(0, found.most - LIMIT) / LIMIT:.1%}",
            f"{found.needless:,} of {calls:,}",
            f"{found.waits[int(0.99 * calls)] * 1000:.1f} ms",
        )


def _breakers(folder: Path, hosts: int) -> None:
    _print(
        f"A provider fails for 30 s, {hosts} hosts",
        "calls that reached it",
        "before the last breaker opened",
        "refused afterwards",
        "half of the hosts / the last are open after",
    )
    for number, (name, shares, failure) in enumerate(BREAKERS):
        load = Load(CALLS_PER_SECOND, ENDS + AFTERWARDS, shares(hosts))
        place = folder / f"breakers-{number}"
        found = clock.run(breakers.simulate(place, load, WORKERS, failure))
        meant = int(CALLS_PER_SECOND * (ENDS - BEGINS))
        well = found.well_again_after
        _print(
            name,
            f"{found.hits:,} of {meant:,}",
            f"{found.hits_before_all:,} in {found.opened_after:.0f} s",
            f"{found.refused_when_well:,}",
            f"{statistics.median(well):.0f} / {well[-1]:.0f} s",
        )


def _print(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

"""What it costs to run in production: `python -m tests.benchmarks.production`.

    python -m tests.benchmarks.production [--rounds N] [--rows 1000000] [--write]

One table of what is switched on there, by CPU per call, and one of what calls wait for
while a backup is made. --write puts both into docs/operating.md.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import processes
from tests.benchmarks.production import backups, switches
from tests.benchmarks.targets import ROOT, version_of

UPSTREAM = 9910
PAGE = ROOT / "docs" / "operating.md"
MARKS = "<!-- measured -->\n", "<!-- end of measured -->\n"


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="of the first table")
    parser.add_argument("--rows", type=int, default=1_000_000, help="in the backup")
    parser.add_argument("--write", action="store_true", help="docs/operating.md")
    options = parser.parse_args()
    with ExitStack() as stack:
        upstream = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.upstream", str(UPSTREAM)], cwd=ROOT
        )
        stack.callback(upstream.terminate)
        time.sleep(1)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        delays = backups.measure(folder, UPSTREAM, options.rows, 2)
        told = _backups(delays, options.rows)
        processes.make_way()
        told = (
            _switches(switches.measure(stack, folder, UPSTREAM, options.rounds)) + told
        )
    print(told)
    if options.write:
        _write(told)


def _switches(found: switches.Ratios) -> str:
    lines = [
        f"Measured {datetime.now(UTC).date()} at {version_of(ROOT)}: one worker on one "
        "core, a call to an OpenAI-compatible server, medians of rounds in turn.\n",
        "| with | µs of CPU a call | of a call without |",
        "| --- | --: | --: |",
        *(
            f"| {name} | {cpu:,.0f} | {ratio:.2f} |"
            for name, (cpu, ratio) in found.items()
        ),
    ]
    return "\n".join(lines) + "\n\n"


def _backups(found: dict[str, backups.Delays], rows: int) -> str:
    lines = [
        f"An encrypted backup of {rows:,} rows of usage beside {backups.RATE} calls a "
        "second, milliseconds:\n",
        "| calls | p50 | p99 | longest | how many |",
        "| --- | --: | --: | --: | --: |",
        *(
            f"| {name} | {each.p50:.1f} | {each.p99:.1f} | {each.longest:.1f} "
            f"| {each.calls:,} |"
            for name, each in found.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _write(told: str) -> None:
    before, _, rest = PAGE.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text("".join([before, MARKS[0], "\n", told, "\n", MARKS[1], after]))


if __name__ == "__main__":
    main()

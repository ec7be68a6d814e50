"""The table that is printed, and the page that it becomes: docs/performance.md."""

import importlib.metadata
import os
import platform
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.lifetime import Lifetime
from tests.benchmarks.live import Live
from tests.benchmarks.load import Result, Slices
from tests.benchmarks.rows import ROWS
from tests.benchmarks.targets import ROOT

PAGE = ROOT / "docs" / "performance.md"
MARK = "<!-- measured -->"
_DOORS = "What a door costs of a chat of the same size, and what it may."
PACKAGES = ("gunicorn", "uvloop", "httptools", "aiohttp", "django", "msgspec")


PASSED_ON_BOUND, TRANSLATED_BOUND = 1.1, 1.5
"""What a door may cost of a chat of the same size: promises."""


class Report(NamedTuple):
    """Everything that was measured, by gateway and row."""

    how: str
    names: list[str]
    calls: Slices
    live: dict[str, dict[str, Live]]
    lifetimes: dict[str, Lifetime]
    crowded: Slices


def write(report: Report) -> None:
    """Put what was measured below the mark of the page."""
    kept = PAGE.read_text().partition(MARK)[0]
    PAGE.write_text(f"{kept}{MARK}\n\n{text(report)}")


def text(report: Report) -> str:
    """Return the measured part of the page."""
    parts = [f"{report.how} {_machine()}"]
    for title, table in (
        ("A call\n\nMicroseconds of CPU, and what ours is of them.", _calls(report)),
        (f"Doors\n\n{_DOORS}", _doors(report)),
        ("Live streams\n\nDelay of a token in milliseconds.", _live(report)),
        ("Memory and start", _lifetimes(report)),
    ):
        if table:
            parts.append(f"## {title}\n\n{table}")
    return "\n\n".join(parts) + "\n"


def figure(slices: Sequence[Result]) -> Result:
    """Return what stands for some slices of the same work.

    Whatever else the machine does only adds to the CPU time of a call, so it is the
    lower quartile of them; not the least, which may have left work to the next slice.
    Of the rest it is the median; errors add up.
    """
    cpu, *rest, errors = zip(*slices, strict=True)
    return Result(_lower_quartile(cpu), *map(statistics.median, rest), sum(errors))


def ratio(slices: Sequence[Result], others: Sequence[Result]) -> float:
    """Return what some slices cost of others, which ran beside them.

    The median of the rounds: the machine's mood lasts for minutes and is in both.
    """
    pairs = zip(slices, others, strict=True)
    return statistics.median(each.cpu / max(other.cpu, 1.0) for each, other in pairs)


def told(slices: Sequence[Result]) -> str:
    """Return a figure in words."""
    found = figure(slices)
    errors = f", {found.errors} errors" if found.errors else ""
    return f"{found.cpu:,.0f} µs ({found.rate:,.0f}/s, p99 {found.p99:.1f} ms{errors})"


def _lower_quartile(numbers: Sequence[float]) -> float:
    if len(numbers) < 2:
        return numbers[0]
    return statistics.quantiles(numbers, n=4, method="inclusive")[0]


def _calls(report: Report) -> str:
    others = [name for name in report.names if name != "ours"]
    head = ["row", "ours µs", "calls/s", "p99 ms"]
    for name in others:
        head += [f"{name} µs", f"ours : {name}"]
    lines = [_call(row, found, others) for row, found in report.calls.items()]
    lines += [
        _call(f"{row}, of 10,000 models and keys", found, others)
        for row, found in report.crowded.items()
    ]
    return _table(head, lines)


def _call(row: str, found: dict[str, list[Result]], others: list[str]) -> list[str]:
    line = [row, "", "", ""]
    if ours := found.get("ours"):
        each = figure(ours)
        line = [row, f"{each.cpu:,.0f}", f"{each.rate:,.0f}", f"{each.p99:.1f}"]
    for name in others:
        other = found.get(name)
        if other is None:
            line += ["", ""]
            continue
        each = figure(other)
        flag = f" ({each.errors} errors)" if each.errors else ""
        of_it = f"{ratio(ours, other):.2f}" if ours else ""
        line += [f"{each.cpu:,.0f}{flag}", of_it]
    return line


def _doors(report: Report) -> str:
    names = [name for name in report.names if name in {"ours", "before"}]
    lines = []
    for row in ROWS:
        if row.name not in report.calls or row.chat not in report.calls:
            continue
        door, chat = report.calls[row.name], report.calls[row.chat]
        bound = TRANSLATED_BOUND if "translated" in row.name else PASSED_ON_BOUND
        ratios = [ratio(door[name], chat[name]) for name in names if name in door]
        flag = "" if ratios[0] <= bound else " (!)"
        lines.append(
            [
                f"{row.name} : {row.chat}",
                f"{bound}{flag}",
                *(f"{each:.2f}" for each in ratios),
            ]
        )
    return _table(["row : chat", "at most", *names], lines)


def _live(report: Report) -> str:
    head = ["streams"]
    names = ["straight to the upstream", *report.names]
    for name in names:
        head.append(f"{name}, p50 / p99")
    lines = []
    for row, found in report.live.items():
        line = [row]
        for name in names:
            each = found.get(name)
            line.append(str(each) if each else "")
        lines.append(line)
    return _table(head, lines)


def _lifetimes(report: Report) -> str:
    names = list(report.lifetimes)
    if not names:
        return ""
    moments = {m: None for each in report.lifetimes.values() for m in each.moments}
    lines = []
    for moment in moments:
        line = [f"MB (descriptors), {moment}"]
        for name in names:
            found = report.lifetimes[name].moments.get(moment)
            line.append(f"{found[0]:.0f} ({found[1]})" if found else "")
        lines.append(line)
    starts = [report.lifetimes[name].start for name in names]
    told = ["" if start is None else f"{start:.1f}" for start in starts]
    lines.append(["CPU seconds until ready on existing data", *told])
    return _table(["", *names], lines)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    if not lines:
        return ""
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))


def _machine() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    model = found.group(1) if found else platform.machine()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return (
        f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )

"""The table that is printed, and the page that it becomes: docs/performance.md."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.lifetime import Lifetime
from tests.benchmarks.live import Live
from tests.benchmarks.load import Result
from tests.benchmarks.targets import ROOT

PAGE = ROOT / "docs" / "performance.md"
MARK = "<!-- measured -->"
PACKAGES = ("gunicorn", "uvloop", "httptools", "aiohttp", "django", "msgspec")


class Report(NamedTuple):
    """Everything that was measured, by gateway and row."""

    how: str
    names: list[str]
    calls: dict[str, dict[str, Result]]
    live: dict[str, dict[str, Live]]
    lifetimes: dict[str, Lifetime]
    crowded: dict[str, Result]


def write(report: Report) -> None:
    """Put what was measured below the mark of the page."""
    kept = PAGE.read_text().partition(MARK)[0]
    PAGE.write_text(f"{kept}{MARK}\n\n{text(report)}")


def text(report: Report) -> str:
    """Return the measured part of the page."""
    parts = [f"{report.how} {_machine()}"]
    for title, table in (
        ("A call\n\nMicroseconds of CPU, and what ours is of them.", _calls(report)),
        ("Live streams\n\nDelay of a token in milliseconds.", _live(report)),
        ("Memory and start", _lifetimes(report)),
    ):
        if table:
            parts.append(f"## {title}\n\n{table}")
    return "\n\n".join(parts) + "\n"


def _calls(report: Report) -> str:
    others = [name for name in report.names if name != "ours"]
    head = ["row", "ours µs", "calls/s", "p99 ms"]
    for name in others:
        head += [f"{name} µs", f"ours : {name}"]
    lines = [_call(row, found, others) for row, found in report.calls.items()]
    if "ours" in report.crowded and "OpenAI, call" in report.calls:
        found = {**report.calls["OpenAI, call"], "ours": report.crowded["ours"]}
        lines.append(_call("OpenAI, call, of 10,000 models and keys", found, others))
    return _table(head, lines)


def _call(row: str, found: dict[str, Result], others: list[str]) -> list[str]:
    ours = found.get("ours")
    line = [row]
    line += (
        [f"{ours.cpu:,.0f}", f"{ours.rate:,.0f}", f"{ours.p99:.1f}" if ours.p99 else ""]
        if ours
        else ["", "", ""]
    )
    for name in others:
        other = found.get(name)
        if other is None:
            line += ["", ""]
            continue
        flag = f" ({other.errors} errors)" if other.errors else ""
        ratio = f"{ours.cpu / other.cpu:.2f}" if ours and other.cpu > 0 else ""
        line += [f"{other.cpu:,.0f}{flag}", ratio]
    return line


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

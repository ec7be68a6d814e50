"""Reads sources in a process of its own, which may be slow, greedy or crash.

Parsers written in C can be made to overflow their stack by nothing but brackets; here
that ends a child, not a worker that serves calls. The child gets the sources on its
standard input, tells its progress line by line, and prints the analysis last.
"""

import asyncio
import contextlib
import resource
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from runagents.agents.detection import Analysis, analyse
from runagents.agents.detection.findings import Findings

SECONDS = 20.0
CPU_SECONDS = 15
MEMORY = 2 << 30
ATTEMPTS = 3
RESULT = b"result "
STEP = b"step "

ROOT = Path(__file__).resolve().parents[3]
CHILD = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from runagents.agents.detection import reading; reading.main()"
)


class Step(NamedTuple):
    """What the reader does next: parsing, detection or scanning of a file."""

    stage: str
    file: str


async def read(
    files: Mapping[str, str], seconds: float = SECONDS
) -> AsyncGenerator[Step | Analysis, None]:
    """Yield the steps of reading `files` (name -> text), then the analysis.

    A file that the reader dies of is left out and named in `problems`; it is searched
    for keys all the same.
    """
    left, lost = dict(files), Findings()
    deadline = asyncio.get_running_loop().time() + seconds
    for _attempt in range(ATTEMPTS):
        last = None
        async with contextlib.aclosing(_read_once(left, deadline)) as items:
            async for item in items:
                if isinstance(item, Analysis):
                    yield _merged(item, lost.analysis())
                    return
                last = item
                yield item
        if last is None or last.file not in left:
            break
        lost.problems.append(f"{last.file} is too large or too deeply nested to read.")
        lost.scan_lines(last.file, left.pop(last.file))
    lost.problems += [f"{name} was not read." for name in left]
    yield lost.analysis()


def _merged(analysis: Analysis, lost: Analysis) -> Analysis:
    return replace(
        analysis,
        keys=[*analysis.keys, *lost.keys],
        problems=[*analysis.problems, *lost.problems],
    )


async def _read_once(
    files: Mapping[str, str], deadline: float
) -> AsyncGenerator[Step | Analysis, None]:
    """Yield what one child tells; ends without an analysis when the child died."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-c", CHILD, str(ROOT)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=64 << 20,
        env={},
    )
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        return
    feeding = asyncio.ensure_future(_feed(stdin, msgspec.json.encode(dict(files))))
    analysis, has_ended = None, False
    try:
        while line := await _line(stdout, deadline):
            if line.startswith(RESULT):
                analysis = msgspec.json.decode(line[len(RESULT) :], type=Analysis)
                continue
            stage, file = msgspec.json.decode(line[len(STEP) :])
            yield Step(stage, file)
        has_ended = stdout.at_eof()
    finally:
        if not has_ended:
            process.kill()
        await feeding
        # Read to the end: else the pipe stays open, and with it the wait.
        await stdout.read()
        await process.wait()
    if analysis is not None:
        yield analysis


async def _line(output: asyncio.StreamReader, deadline: float) -> bytes:
    """Return the next line; empty at the end, or when time is up."""
    left = deadline - asyncio.get_running_loop().time()
    try:
        return await asyncio.wait_for(output.readline(), max(left, 0.001))
    except TimeoutError:
        return b""


async def _feed(stdin: asyncio.StreamWriter, data: bytes) -> None:
    # A child that died reads no more; what is missing is told by its output.
    with contextlib.suppress(ConnectionError):
        stdin.write(data)
        await stdin.drain()
    stdin.close()


# --- the child ---


def main() -> None:
    """Read the sources given on standard input and print what is in them."""
    for kind, limit in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
    ):
        # Not every system limits everything.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))
    files = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    analysis = analyse(files, _tell)
    _print(RESULT + msgspec.json.encode(analysis))


def _tell(stage: str, file: str) -> None:
    _print(STEP + msgspec.json.encode([stage, file]))


def _print(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()

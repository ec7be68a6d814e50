"""Processes of a server under measurement: found by port, read from Linux's /proc."""

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

_FILE = re.compile(
    r"^[0-9a-f]+-[0-9a-f]+ \S+ (\S+ \S+ [1-9]\d*) .*\n"
    r"(?:[A-Z].*\n)*?Rss: +(\d+) kB\n(?:[A-Z].*\n)*?Anonymous: +(\d+) kB\n",
    re.M,
)
"""A mapped file in /proc/PID/smaps: its place, what of it is resident, and changed."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with `more` and without the server's own.

    What is installed has been compiled; a start that compiles everything anew, as it
    would without leave to keep it, is nobody's.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RUNAGENTS_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, **more}


CORES = sorted(os.sched_getaffinity(0))
MEASURED = CORES[0]
"""The core that gateways run on, one at a time; load and upstream have the others."""


def pin_myself() -> None:
    """Keep this process and its children on the measured core."""
    os.sched_setaffinity(0, {MEASURED})


def make_way() -> None:
    """Keep this process and its children off the measured core, if there is another."""
    os.sched_setaffinity(0, set(CORES[1:]) or {MEASURED})


def pin(pids: set[int]) -> None:
    """Move processes with all their threads to the measured core."""
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {MEASURED})


def wait_until_answered(
    port: int, process: "subprocess.Popen[bytes]", seconds: float = 60
) -> None:
    """Wait for a server's /readyz, whatever it answers but 503; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1)
        except urllib.error.HTTPError as error:
            if error.code != 503:
                return
        except OSError:
            pass
        else:
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing became ready on port {port}")


def tree(port: int) -> set[int]:
    """Return the processes that listen on `port`, and their children."""
    inodes = _listening_inodes(port)
    pids = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    return tree_of({pid for pid in pids if _holds(pid, inodes)})


def tree_of(roots: set[int]) -> set[int]:
    """Return some processes and their children."""
    found = set(roots)
    children: dict[int, set[int]] = {}
    for path in Path("/proc").iterdir():
        pid = int(path.name) if path.name.isdigit() else 0
        if pid and (fields := _stat(pid)) is not None:
            children.setdefault(int(fields[1]), set()).add(pid)
    todo = list(found)
    while todo:
        for child in children.get(todo.pop(), ()):
            if child not in found:
                found.add(child)
                todo.append(child)
    return found


def cpu_seconds(pids: set[int], *, ended: bool = False) -> float:
    """Return user and system time spent so far; with `ended` also by past children.

    Of processes that live to the nanosecond: /proc/PID/stat counts in hundredths.
    """
    seconds = 0.0
    for pid in pids:
        # What clock_getcpuclockid(3) returns for another process.
        with suppress(OSError):
            seconds += time.clock_gettime(~pid << 3 | 2)
        if ended and (fields := _stat(pid)) is not None:
            seconds += sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")
    return seconds


def megabytes(pids: set[int]) -> float:
    """Return the proportional memory of processes, on a machine of their own.

    Their own pages count as PSS has it: those they share, once. It divides pages of
    files, such as libraries, by all processes of the machine that use them, and would
    say less the more tests run elsewhere; here they are these processes' alone.
    """
    own = 0
    files: dict[str, int] = {}
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            maps = Path(f"/proc/{pid}/smaps").read_text()
        except OSError:
            continue
        own += sum(map(int, re.findall(r"^Pss_Anon:\s+(\d+)", rollup, re.M)))
        for file, resident, changed in _FILE.findall(maps):
            here = int(resident) - int(changed)
            files[file] = max(files.get(file, 0), here)
    return (own + sum(files.values())) / 1024


def descriptors(pids: set[int]) -> int:
    """Return how many files and sockets the processes hold open."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _holds(pid: int, inodes: set[str]) -> bool:
    try:
        return any(
            os.readlink(fd) in inodes for fd in Path(f"/proc/{pid}/fd").iterdir()
        )
    except OSError:
        return False


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat behind the command's name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None

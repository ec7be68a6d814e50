"""Processes of a server under measurement: found by port, read from Linux's /proc."""

import os
import re
import socket
import time
import urllib.request
from pathlib import Path


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with `more` and without the server's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RUNAGENTS_")}
    return {**kept, **more}


def wait_until_ready(port: int, seconds: float = 30) -> None:
    """Wait for a server's /readyz; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing became ready on port {port}")


def tree(port: int) -> set[int]:
    """Return the processes that listen on `port`, and their children."""
    inodes = _listening_inodes(port)
    pids = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    found = {pid for pid in pids if _holds(pid, inodes)}
    children: dict[int, set[int]] = {}
    for pid in pids:
        if (fields := _stat(pid)) is not None:
            children.setdefault(int(fields[1]), set()).add(pid)
    todo = list(found)
    while todo:
        for child in children.get(todo.pop(), ()):
            if child not in found:
                found.add(child)
                todo.append(child)
    return found


def cpu_seconds(pids: set[int]) -> float:
    """Return user and system time spent so far."""
    ticks = 0
    for pid in pids:
        if (fields := _stat(pid)) is not None:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(pids: set[int]) -> float:
    """Return the proportional memory of the processes."""
    kilobytes = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        if found := re.search(r"Pss:\s+(\d+)", text):
            kilobytes += int(found.group(1))
    return kilobytes / 1024


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

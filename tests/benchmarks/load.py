"""Drives a gateway with wrk and charges what it spent, to the last row of usage."""

import http.client
import json
import re
import subprocess
import tempfile
import time
from typing import NamedTuple

from tests.benchmarks import live, processes
from tests.benchmarks.rows import Row
from tests.benchmarks.targets import Target

WARM = 40
"""Requests that are not counted."""
SETTLE_SECONDS = 20.0
LOOK_SECONDS = 0.3


Requests = list[tuple[bytes, dict[str, str]]]
"""Bodies with their headers."""


class Failed(Exception):
    """A gateway does not answer a row; the text says what it said."""


class Result(NamedTuple):
    """One run: CPU microseconds per call, calls, calls per second, milliseconds."""

    cpu: float
    calls: float
    rate: float
    p50: float
    p99: float
    errors: int


def idle(target: Target, seconds: float) -> float:
    """Return the share of a core that a gateway takes when nobody calls."""
    pids = processes.tree(target.port)
    before = processes.cpu_seconds(pids)
    time.sleep(seconds)
    return (processes.cpu_seconds(pids) - before) / seconds


def run(
    target: Target, row: Row, seconds: int, connections: int, idle_share: float
) -> Result:
    """Ask for a row as fast as it is answered; raises Failed."""
    body = row.request(target.models[row.kind])
    headers = target.headers_for(row)
    _warm(target, row, body, headers)
    pids = processes.tree(target.port)
    began, before = time.monotonic(), processes.cpu_seconds(pids)
    if row.flavour:
        asked = _by_hand(target, row, seconds, connections)
    else:
        asked = _by_wrk(target, row, [(body, headers)], seconds, connections)
    _settle(target, pids, idle_share)
    spent = processes.cpu_seconds(pids) - before
    spent -= idle_share * (time.monotonic() - began)
    return asked._replace(cpu=spent / max(asked.calls, 1) * 1e6)


def _by_wrk(
    target: Target, row: Row, requests: Requests, seconds: int, connections: int
) -> Result:
    printed = wrk(target.port, row.path, requests, seconds, connections)
    calls = calls_of(printed)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    return Result(
        0,
        calls,
        calls / seconds,
        _milliseconds(_found(r"50%\s+([\d.]+\w+)", printed)),
        _milliseconds(_found(r"99%\s+([\d.]+\w+)", printed)),
        int(bad.group(1)) if bad else 0,
    )


def _by_hand(target: Target, row: Row, seconds: int, connections: int) -> Result:
    """Read slow streams to their end, which wrk would cut off when its time is over."""
    began = time.monotonic()
    runs = [live.measure(target, row, connections) for _ in range(seconds)]
    ended = sum(each.ended for each in runs)
    rate = ended / (time.monotonic() - began)
    return Result(0, ended, rate, 0, 0, seconds * connections - ended)


def _warm(target: Target, row: Row, body: bytes, headers: dict[str, str]) -> None:
    """Ask a few times on one connection, and look at the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    count = 3 if row.flavour else WARM
    try:
        for _ in range(count):
            connection.request("POST", row.path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise Failed(f"{answer.status}: {text[:200]!r}")
    except (OSError, http.client.HTTPException) as error:
        raise Failed(repr(error)) from None
    finally:
        connection.close()


def _settle(target: Target, pids: set[int], idle_share: float) -> None:
    """Wait until what was put off is done."""
    deadline = time.monotonic() + SETTLE_SECONDS
    time.sleep(target.settles)
    while time.monotonic() < deadline:
        before = processes.cpu_seconds(pids)
        time.sleep(LOOK_SECONDS)
        spent = processes.cpu_seconds(pids) - before
        if spent <= idle_share * LOOK_SECONDS + 0.02:
            return


def wrk(
    port: int,
    path: str,
    requests: Requests,
    seconds: int,
    connections: int,
) -> str:
    """Send requests in turn for some seconds and return what wrk printed."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("local all, n = {}, 0\n")
        for body, headers in requests:
            named = ",".join(
                f"[{json.dumps(k)}]={json.dumps(headers[k])}" for k in headers
            )
            script.write(
                f"all[#all+1] = wrk.format('POST', nil, {{{named}}}, "
                f"[==[{body.decode()}]==])\n"
            )
        script.write("function request() n = n % #all + 1; return all[n] end\n")
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency"]
        url = f"http://127.0.0.1:{port}{path}"
        try:
            return subprocess.run(
                [*command, "--timeout", "30", "-s", script.name, url],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        except subprocess.CalledProcessError as error:
            raise Failed(error.stderr or error.stdout) from None


def calls_of(printed: str) -> int:
    """Return how many answers wrk got."""
    return int(_found(r"(\d+) requests in", printed))


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise Failed(f"wrk printed something unexpected:\n{text}")
    return match.group(1)


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]

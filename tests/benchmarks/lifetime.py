"""What a gateway holds and what its start costs: memory, descriptors, CPU."""

import time
from typing import NamedTuple

from tests.benchmarks import asking, processes
from tests.benchmarks.rows import ROWS
from tests.benchmarks.targets import Served, Target

FEW, MANY = 20_000, 100_000
CONNECTIONS = 16
BURST_SECONDS = 5
REST_SECONDS = 120


class Lifetime(NamedTuple):
    """Megabytes (PSS) and open descriptors at moments, CPU seconds of a start."""

    moments: dict[str, tuple[float, int]]
    start: float | None


def follow(served: Served, *, whole: bool) -> Lifetime:
    """Start a server anew, load it and look at it; not `whole` is done in a minute."""
    served.server.stop()
    start = served.server.start()
    target = served.target
    time.sleep(3)
    moments = {"fresh": _look(target)}
    _mixed(target, FEW)
    moments[f"after {FEW:,} calls"] = _look(target)
    if whole:
        _mixed(target, MANY - FEW)
        moments[f"after {MANY:,} calls"] = _look(target)
        image = next(row for row in ROWS if row.name == "OpenAI, 1 MB image")
        burst = [target.request(image)]
        asking.ask(target.port, burst, CONNECTIONS, seconds=BURST_SECONDS)
        moments["after a burst of 1 MB bodies"] = _look(target)
        time.sleep(REST_SECONDS)
        moments[f"{REST_SECONDS} s later"] = _look(target)
    return Lifetime(moments, start)


def _look(target: Target) -> tuple[float, int]:
    time.sleep(2)
    pids = processes.tree(target.port)
    return processes.megabytes(pids), processes.descriptors(pids)


def _mixed(target: Target, calls: int) -> None:
    """Send calls of all kinds: whole, streamed, unknown and refused."""
    chat, stream = ROWS[0], next(row for row in ROWS if "stream" in row.name)
    unknown = chat.request("nobody-serves-this")
    refused = chat._replace(body={"messages": 7}).request(target.models[chat.kind])
    headers = target.headers_for(chat)
    requests = [
        *(target.request(row) for row in (chat, stream, ROWS[1])),
        *(asking.request(chat.path, body, headers) for body in (unknown, refused)),
    ]
    asking.ask(target.port, requests, CONNECTIONS, calls=calls)

"""Whether a worker's memory stays: `python -m tests.benchmarks.memory [CALLS]`.

Mixed requests (whole, streamed, refused, unknown) to a server of one worker; prints its
resident memory after each tenth, and how much it grew since the first. More than 5 %
ends in status 1.
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.e2e import dialects, registries
from tests.e2e.processes import PLAIN, Server, chat
from tests.e2e.replay import Replay

CALLS = 100_000
CLIENTS = 8
PARTS = 10
MOST_GROWTH = 0.05


def main() -> int:
    """Print the figures; return the status to end with."""
    calls = int(sys.argv[1]) if sys.argv[1:] else CALLS
    with tempfile.TemporaryDirectory() as folder, Replay() as replay:
        dialects.install(replay)
        server = Server(Path(folder))
        server.data.mkdir(mode=0o700)
        server.manage("migrate", "--verbosity", "0")
        server.apply(registries.registry(registries.openai("good", replay.url, "good")))
        server.start()
        try:
            sizes = [_after(server, replay, calls // PARTS) for _ in range(PARTS)]
        finally:
            server.stop()
    growth = sizes[-1] / sizes[0] - 1
    print(f"{growth:+.1%} since the first tenth")
    return int(growth > MOST_GROWTH)


def _after(server: Server, replay: Replay, calls: int) -> int:
    """Return the worker's memory after so many calls more."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda _: _ask(server, calls // CLIENTS), range(CLIENTS)))
    replay.clear()
    size = server.resident_bytes()
    print(f"{size / 2**20:.1f} MiB")
    return size


def _ask(server: Server, calls: int) -> None:
    with httpx.Client(timeout=60, **PLAIN) as client:
        for number in range(calls):
            body = chat("good" if number % 4 else f"unknown-{number}", f"{number}")
            body["stream"] = number % 2 == 0
            if number % 7 == 0:
                body["messages"] = number
            client.post(server.chat_url, json=body)


if __name__ == "__main__":
    sys.exit(main())

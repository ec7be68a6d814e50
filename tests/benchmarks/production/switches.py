"""The cost of a call with what operators switch on, beside one without."""

import http.client
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.rows import ROWS
from tests.benchmarks.targets import ROOT, Target, gateway
from tests.redis_server import RedisServer

PLAIN = "nothing more"
SCRAPED = "access lines, /metrics read every second"
TRACED = "traces of 1 %"
REDIS = "limits in Redis"

Ratios = dict[str, tuple[float, float]]
"""Microseconds of CPU per call, and of what a call without costs, by what is on."""


def measure(stack: ExitStack, folder: Path, upstream: int, rounds: int) -> Ratios:
    """Ask gateways that differ in one thing each, in turn; Redis's own CPU is left out.

    The ratio is the median over the rounds, each against its own round without.
    """
    told = stack.enter_context(_collector())
    redis = RedisServer(folder)
    stack.callback(redis.stop)
    switches = {
        PLAIN: {},
        SCRAPED: {"ACCESS_LOG": "on"},
        TRACED: {
            "OTEL_EXPORTER_OTLP_ENDPOINT": told,
            "OTEL_TRACES_SAMPLER_ARG": "0.01",
        },
        REDIS: {"REDIS_URL": redis.url},
    }
    targets = []
    for number, (name, environ) in enumerate(switches.items()):
        served = gateway(stack, f"gateway-{number}", folder, upstream, ROOT, **environ)
        targets.append(served.target._replace(name=name))
    row = ROWS[0]
    for target in targets:
        load.warm(target, [row])
    shares = load.idle(targets)
    scraped = next(each for each in targets if each.name == SCRAPED)
    asked = [(row, target) for target in targets]
    with _every_second(lambda: _scrape(scraped)):
        slices = load.measure(asked, rounds, 1.0, shares)[row.name]
    plain = [each.cpu for each in slices[PLAIN]]
    return {
        name: (
            statistics.median(each.cpu for each in results),
            statistics.median(
                each.cpu / without for each, without in zip(results, plain, strict=True)
            ),
        )
        for name, results in slices.items()
    }


def _scrape(target: Target) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != http.client.OK:
        raise RuntimeError(f"/metrics answered {answer.status}")


@contextmanager
def _every_second(work: Callable[[], None]) -> Iterator[None]:
    """Do something each second, beside what is done within."""
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.wait(1):
            work()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class _Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take spans and say nothing of them."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *told: object) -> None:
        """Keep quiet."""


@contextmanager
def _collector() -> Iterator[str]:
    """Yield the URL of a server that takes spans."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

"""How long the console's pages take, and how large they are, when there is a lot.

    python -m tests.benchmarks.console [--providers 1000] [--calls 1000000]

Fills an installation of its own on SQLite (some minutes for a million calls; --keep
FOLDER keeps it for the next time), starts the server and asks for each page: the first
time as somebody who comes in, then again. First byte in milliseconds, on one worker.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.e2e.processes import Server

ROUNDS = 9

PAGES = (
    "/",
    "/models/",
    "/models/?page=2",
    "/models/?q=0042",
    "/models/?type=bedrock&status=available",
    "/models/new/",
    "/models/provider-0000/",
    "/models/provider-0000/?tab=models",
    "/models/provider-0000/?tab=usage",
    "/models/provider-0000/?tab=requests",
    "/models/provider-0000/?tab=connect",
    "/models/provider-0000/edit/",
    "/models/provider-0000/delete/",
    "/models/provider-0040/?tab=usage",
    "/models/router/",
    "/models/router/?tab=models",
    "/models/router/edit/",
    "/agents/",
    "/agents/?page=3",
    "/agents/?q=agent-02",
    "/agents/new/upload/",
    "/agents/agent-007/",
    "/playground/",
    "/usage/?range=1h",
    "/usage/?range=24h",
    "/usage/?range=7d",
    "/usage/?range=30d",
    "/usage/?range=30d&provider=provider-0003",
    "/usage/?range=30d&caller=agent-007",
    "/usage/?range=30d&by=provider",
    "/usage/?range=30d&by=caller",
    "/usage/?range=30d&by=key&provider=provider-0001",
    "/?range=7d",
    "/usage/usage.csv?range=30d",
    "/requests/",
    "/requests/?provider=provider-0040",
    "/requests/?caller=agent-007&status=5xx",
    "/requests/?model=vendor/model-3-1-2026-11-01",
    "/requests/?outcome=failed",
    "/requests/?outcome=client_closed",
    "/requests/?outcome=interrupted",
    "/requests/?status=429&span=30d",
    "/requests/?status=2xx&provider=provider-0001",
    "/requests/?provider=provider-0040&outcome=failed",
    "/requests/?caller=nobody",
    "/requests/00000000000000000000000000000007/",
    "/settings/api-keys/",
    "/settings/people/",
    "/settings/secrets/",
    "/settings/secrets/provider-0500-key/",
    "/settings/gateway/",
    "/settings/audit-log/",
    "/settings/health/",
    "/admin/providers/modelprovider/",
    "/admin/gateway/usagerecord/",
    "/admin/gateway/usagerecord/?q=req_0000",
    "/admin/providers/secret/",
)


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--providers", type=int, default=1_000)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--keep", metavar="FOLDER", type=Path)
    parser.add_argument("--only", default="", help="pages whose address holds this")
    options = parser.parse_args()
    with _folder(options.keep) as folder:
        server = Server(folder, STATUS_CHECK_SECONDS="86400")
        if not server.data.exists():
            began = time.monotonic()
            _fill(server, options.providers, options.calls)
            print(f"filled in {time.monotonic() - began:.0f} s")
        server.start()
        try:
            pages = [page for page in PAGES if options.only in page]
            _measure(server, pages)
        finally:
            server.stop()


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _fill(server: Server, providers: int, calls: int) -> None:
    server.run("-m", "tests.benchmarks.console.crowd", str(providers), str(calls))


def _measure(server: Server, pages: list[str]) -> None:
    print(f"{'page':52}{'first ms':>9}{'median':>8}{'worst':>7}{'KB':>7}{'sent KB':>9}")
    cookies = {"sessionid": server.session()}
    with httpx.Client(base_url=server.url, cookies=cookies, timeout=120) as client:
        for page in pages:
            first, *later = [_ask(client, page) for _ in range(ROUNDS + 1)]
            times = [each[0] for each in later]
            print(
                f"{page:52}{first[0]:9.0f}{statistics.median(times):8.0f}"
                f"{max(times):7.0f}{first[1] / 1000:7.0f}{first[2] / 1000:9.1f}"
            )


def _ask(client: httpx.Client, page: str) -> tuple[float, int, int]:
    """Return milliseconds to the first byte, and the page's bytes: all, and sent."""
    began = time.perf_counter()
    with client.stream("GET", page) as answer:
        milliseconds = (time.perf_counter() - began) * 1000
        size = len(answer.read())
        if answer.status_code != httpx.codes.OK:
            sys.exit(f"{page} answered {answer.status_code}")
        return milliseconds, size, answer.num_bytes_downloaded


if __name__ == "__main__":
    main()

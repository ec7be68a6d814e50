"""A gateway in this process, called over ASGI, with a fake network behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest

from gateway.entry.request import FOUND, Found
from gateway.worker.registry import registry
from gateway.worker.runtime import runtime
from gateway.worker.snapshot import Snapshot
from providers import transport
from runagents.asgi import application
from tests import doors
from tests.grammar import streams


@pytest.fixture
def upstream() -> Iterator[Callable[..., list[httpx.Request]]]:
    """Answers what goes out: `upstream(handler)` or `upstream(json={...})`.

    Returns the list of requests seen.
    """
    entered = []

    def answer(
        handler: Callable[[httpx.Request], httpx.Response] | None = None,
        *,
        json: Any = None,
        stream: list[bytes] | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> list[httpx.Request]:
        seen: list[httpx.Request] = []

        def respond(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            if handler is not None:
                return handler(request)
            if stream is not None:
                sse = {"content-type": "text/event-stream", **(headers or {})}
                return httpx.Response(status, headers=sse, content=_parts(stream))
            return httpx.Response(status, json=json, headers=headers)

        context = transport.use(httpx.MockTransport(respond))
        context.__enter__()
        entered.append(context)
        return seen

    yield answer
    for context in reversed(entered):
        context.__exit__(None, None, None)


async def _parts(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def ledger(tmp_path, monkeypatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Returns what was spooled of calls that went upstream, begin and end merged.

    What a call does not tell is not in it.
    """
    from gateway.ledger.lines import named
    from gateway.ledger.refusals import Refusals
    from gateway.ledger.spool import Spool

    spool = Spool(tmp_path / "spool")
    monkeypatch.setattr(runtime, "spool", spool)
    monkeypatch.setattr(runtime, "refusals", Refusals())

    def read() -> list[dict[str, Any]]:
        calls: dict[str, dict[str, Any]] = {}
        for path in sorted(spool.folder.glob("*.jsonl")):
            for raw in path.read_bytes().splitlines():
                line = named(json.loads(raw))
                call_id = line.get("begin") or line.get("end") or line.get("call_id")
                if call_id is not None:  # not the names of the columns
                    told = {name: v for name, v in line.items() if v or type(v) is int}
                    calls.setdefault(call_id, line if "begin" in line else {})
                    calls[call_id].update(told)
        return [each for each in calls.values() if each.get("outcome") != "refused"]

    yield read
    spool.close()


class GatewayClient:
    """Calls the application as a server would, from a test that is not asynchronous.

    Streams must keep to their grammar, whatever a test is about.
    """

    def __init__(
        self, host: str, headers: dict[str, str] | None, found: Found | None
    ) -> None:
        self._host = host
        self._headers = headers
        self._found = found

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._request(method, url, options))

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._request(method.upper(), url, options))

    def get(self, url: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._request("GET", url, options))

    def post(self, url: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._request("POST", url, options))

    async def _request(
        self, method: str, url: str, options: dict[str, Any]
    ) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self._serve, client=(self._host, 50000)),
            base_url="http://127.0.0.1:8000",
            headers=self._headers,
        ) as client:
            answer = await client.request(method, url, **options)
        streams.check(answer)
        return answer

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if self._found is not None:
            scope["extensions"] = {FOUND: self._found}
        await application(scope, receive, send)


@pytest.fixture
def gateway(db, ledger) -> Iterator[Callable[..., GatewayClient]]:
    """Makes a client of the gateway on this machine; reads the registry first.

    With `found` it has one connection, on which it says one head again and again.
    """

    def client(
        host: str = "127.0.0.1",
        headers: dict[str, str] | None = None,
        found: Found | None = None,
    ) -> GatewayClient:
        registry.load()
        return GatewayClient(host, headers, found)

    yield client
    registry.snapshot = Snapshot()


@pytest.fixture
def chat() -> dict[str, Any]:
    """The smallest chat request."""
    return {name: doors.CHAT.body[name] for name in ("model", "messages")}


@pytest.fixture
def completion() -> dict[str, Any]:
    """What OpenAI answers to it."""
    return deepcopy(doors.COMPLETION)

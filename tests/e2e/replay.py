"""An upstream with scripted or recorded answers, which writes everything down.

    with Replay() as replay:
        replay.route("/v1/chat/completions", lambda received: Reply(...))

It runs in a thread of its own, listens on loopback, and keeps each request with its
raw path, headers and body, and how and when its connection ended.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

from tests import loopback
from tests.loopback import LoopThread

# The sizes in which a body is cut: no boundary of a line, event or frame is respected.
AWKWARD_SIZES = (1, 2, 3, 5, 7, 11, 64, 257, 1024)


@dataclass
class Received(loopback.Received):
    """One request, and how and when its connection ended."""

    ended_at: float | None = None
    client_left: bool = False


@dataclass
class Reply:
    """An answer: `delay` before its headers, `pause` between its parts.

    With `until` it begins once that holds.
    With `hold` it never ends by itself: before the headers when there are no parts,
    after the last part otherwise. The last part is kept back until `may_end` holds.
    """

    status: int = 200
    parts: list[bytes] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    pause: float = 0
    hold: bool = False
    until: Callable[[], bool] | None = None
    may_end: Callable[[], bool] | None = None


Answer = Callable[[Received], Reply]


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """Return a reply with a JSON body; underscores in header names become hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(status, [body], {"content-type": "application/json", **named})


def cut(body: bytes) -> list[bytes]:
    """Return `body` in pieces of awkward sizes, the last of which is the rest."""
    pieces, position = [], 0
    for size in AWKWARD_SIZES * 4:
        if position >= len(body):
            break
        pieces.append(body[position : position + size])
        position += size
    return [*pieces, body[position:]] if position < len(body) else pieces


def model_lists(models: Iterable[str] = ()) -> dict[str, Any]:
    """Return what the vendors answer when asked for their models, by path."""
    ids = list(models)
    return {
        "/v1/models": {"object": "list", "data": [{"id": name} for name in ids]},
        "/api/version": {"version": "0.13.0"},
        "/api/tags": {"models": [{"name": name} for name in ids]},
        "/foundation-models": {"modelSummaries": [{"modelId": name} for name in ids]},
        "/inference-profiles": {"inferenceProfileSummaries": []},
    }


class Replay:
    """The upstream; enter it to start, leave it to stop.

    Answers are found by the longest path prefix given to `route`. `credentials` maps a
    path prefix to the header and value without which the answer is a 401.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.credentials: dict[str, tuple[str, str]] = {}
        self.port = 0
        self._routes: dict[str, Answer] = {}
        self._lists = model_lists()
        self._thread = LoopThread(self._run)

    @property
    def url(self) -> str:
        """The origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[Received]:
        """What came in besides questions for models."""
        return [each for each in self.received if each.method == "POST"]

    @property
    def open(self) -> int:
        """How many calls are not answered to their end."""
        return sum(each.ended_at is None for each in self.calls)

    def route(self, prefix: str, answer: Answer | Reply) -> None:
        """Answer requests whose raw path starts with `prefix`."""
        fixed = answer
        self._routes[prefix] = (
            (lambda received: fixed) if isinstance(fixed, Reply) else fixed
        )

    def offer(self, models: Iterable[str]) -> None:
        """List `models` to whoever asks, in every vendor's way."""
        self._lists = model_lists(models)

    def clear(self) -> None:
        """Forget what was received."""
        self.received.clear()

    def wait_until(
        self, claim: Callable[[], bool], seconds: float = loopback.PATIENCE
    ) -> bool:
        """Wait until `claim` holds; tell whether it came to hold in time."""
        return loopback.wait_until(claim, seconds)

    def __enter__(self) -> "Replay":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.stop()

    async def _run(self, is_ready: Callable[[], None], stopped: asyncio.Event) -> None:
        application = web.Application(client_max_size=1 << 26)
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(
            application,
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=0.1,
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
        await site.start()
        self.port = runner.addresses[0][1]
        is_ready()
        await stopped.wait()
        await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        received = Received(
            request.method,
            request.raw_path,
            [(k.decode().lower(), v.decode("latin-1")) for k, v in request.raw_headers],
            await request.read(),
            time.monotonic(),
        )
        self.received.append(received)
        try:
            return await self._answer(request, received)
        except (asyncio.CancelledError, ConnectionError):
            received.client_left = True
            raise
        finally:
            received.ended_at = time.monotonic()

    async def _answer(
        self, request: web.Request, received: Received
    ) -> web.StreamResponse:
        reply = self._reply(received)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        await _hold_back(reply.until)
        if reply.hold and not reply.parts:
            await asyncio.Event().wait()
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        if len(reply.parts) == 1 and not reply.hold:
            response.content_length = len(reply.parts[0])
        await response.prepare(request)
        for number, part in enumerate(reply.parts):
            if number == len(reply.parts) - 1:
                await _hold_back(reply.may_end)
            await response.write(part)
            if reply.pause or number < len(AWKWARD_SIZES):
                await asyncio.sleep(reply.pause)
        if reply.hold:
            await asyncio.Event().wait()
        await response.write_eof()
        return response

    def _reply(self, received: Received) -> Reply:
        for prefix, (name, value) in self.credentials.items():
            if received.path.startswith(prefix) and received.header(name) != value:
                return json_reply({"error": {"message": "Invalid credential."}}, 401)
        if received.method == "GET":
            for tail, answer in self._lists.items():
                if received.path.endswith(tail):
                    return json_reply(answer)
        found = [prefix for prefix in self._routes if received.path.startswith(prefix)]
        if not found:
            return json_reply({"error": {"message": "No such path."}}, 404)
        return self._routes[max(found, key=len)](received)


async def _hold_back(until: Callable[[], bool] | None) -> None:
    while until is not None and not until():
        await asyncio.sleep(0.01)

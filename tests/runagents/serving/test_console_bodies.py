"""What anybody may send to the console: counted, timed, little without a session."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from gateway.entry import receiving
from gateway.worker.capacity import capacity
from providers.models import WorkspaceKey
from runagents.asgi import application
from runagents.serving.console_bodies import STRANGERS_BYTES
from tests.at_once import at_once

PIECE = b"x" * 16 * 1024
Headers = dict[str, str]


def _paths(resolver: URLResolver, start: str = "/") -> Iterator[str]:
    """Yield a path for every route of the console."""
    for each in resolver.url_patterns:
        route = str(each.pattern).lstrip("^").rstrip("$")
        if isinstance(each, URLResolver):
            yield from _paths(each, start + route)
        elif isinstance(each, URLPattern):
            yield start + route.replace("<", "").replace(">", "").replace(":", "-")


PATHS = sorted({*_paths(get_resolver()), "/nowhere", "/static/app.css", "/a/../b"})


async def _send(
    path: str, pieces: AsyncIterator[bytes], headers: Headers
) -> tuple[int, Headers, bytes, int]:
    """Return status, headers and body of the answer, and how many pieces were read."""
    sent: list[dict[str, Any]] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        part = await anext(pieces)
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    pairs = [(k.encode(), v.encode()) for k, v in headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": pairs,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    await application(scope, receive, send)
    told = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    body = b"".join(each.get("body", b"") for each in sent[1:])
    return sent[0]["status"], told, body, read


async def _endless(part: bytes = PIECE, pause: float = 0) -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(pause)
        yield part


def post(
    path: str, headers: Headers | None = None, **how: Any
) -> tuple[int, Headers, bytes, int]:
    given = {"host": "127.0.0.1", "transfer-encoding": "chunked", **(headers or {})}
    return asyncio.run(_send(path, _endless(**how), given))


@at_once("path", PATHS)
@at_once("host", ["127.0.0.1", "evil.example"])
def test_no_path_takes_a_body_without_end(path: str, host: str) -> None:
    status, headers, body, read = post(path, {"host": host})
    assert status == 413
    assert headers["connection"] == "close"
    assert str(STRANGERS_BYTES).encode() in body
    assert read <= STRANGERS_BYTES // len(PIECE) + 1


def test_an_announced_body_is_refused_before_it_is_read() -> None:
    status, _, _, read = post("/login/", {"content-length": "314572800"})
    assert (status, read) == (413, 0)


@pytest.mark.proves("1.4")
@pytest.mark.parametrize("path", ["/login/", "/api/v1/model-providers", "/nowhere"])
def test_who_drips_is_cut_off(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "BODY_SECONDS", 0.05)
    status, headers, body, _ = post(path, part=b"x", pause=0.01)
    assert status == 408
    assert headers["connection"] == "close"
    assert b"did not arrive in time" in body


def test_the_api_is_told_in_its_own_form() -> None:
    _, headers, body, _ = post("/api/v1/model-providers")
    assert headers["content-type"] == "application/json"
    assert body.startswith(b'{"error":')


def _cookie(client: Client) -> Headers:
    return {"cookie": f"sessionid={client.cookies['sessionid'].value}"}


def _key(client: Client) -> Headers:
    return {"x-runagents-api-key": WorkspaceKey.issue("ci").plaintext}


KNOWN: list[tuple[str, Callable[[Client], Headers]]] = [
    ("/playground/stream/", _cookie),
    ("/api/v1/model-providers", _key),
]
MADE_UP: list[tuple[str, Headers]] = [
    ("/login/", {"cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"}),
    ("/login/", {"cookie": 'sessionid="; sessionid=\xff'}),
    ("/api/v1/model-providers", {"x-runagents-api-key": "ra_ws_0123456789"}),
    ("/api/v1/model-providers", {"authorization": "Bearer x"}),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "known"), KNOWN)
def test_who_is_known_may_send_more(
    path: str,
    known: Callable[[Client], Headers],
    logged_in_client: Client,
    settings: Any,
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * STRANGERS_BYTES
    status, _, body, read = post(path, known(logged_in_client))
    assert status == 413
    assert str(4 * STRANGERS_BYTES).encode() in body
    assert read == 4 * STRANGERS_BYTES // len(PIECE) + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "headers"), MADE_UP)
def test_who_only_says_to_be_known_may_not(path: str, headers: Headers) -> None:
    assert str(STRANGERS_BYTES).encode() in post(path, headers)[2]


@pytest.mark.django_db(transaction=True)
def test_a_session_whose_password_changed_counts_for_nothing(
    logged_in_client: Client, administrator: User
) -> None:
    administrator.set_password("another horse")
    administrator.save()
    assert str(STRANGERS_BYTES).encode() in post("/", _cookie(logged_in_client))[2]


def test_a_body_takes_of_what_the_worker_holds_and_gives_it_back(settings: Any) -> None:
    settings.BYTES_PER_WORKER = 2 * len(PIECE)
    status, headers, body, _ = post("/login/")
    assert status == 503
    assert headers["retry-after"]
    assert b"Try again" in body
    assert capacity.bytes_held == 0

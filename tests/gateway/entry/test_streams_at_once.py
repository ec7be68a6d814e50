"""Streams that are all here before anything was sent, and go out in one go."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gateway.entry.request import AT_ONCE
from gateway.worker.draining import STALLED
from providers import transport
from providers.transport.guard import Rules
from tests.faults import Answer, FaultServer

WORDS = [f"word{number} " for number in range(40)]


def chunk(choices: list[Any], **fields: Any) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "x"}
    return b"data: %b\n\n" % json.dumps({**head, "choices": choices, **fields}).encode()


def stream(*ends: bytes) -> bytes:
    deltas = [{"content": word} for word in WORDS]
    texts = [chunk([{"index": 0, "delta": delta}]) for delta in deltas]
    return b"".join([*texts, *ends])


STOP = chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = {"prompt_tokens": 3, "completion_tokens": 40, "total_tokens": 43}
END = (STOP, chunk([], usage=USAGE), b"data: [DONE]\n\n")


@pytest.fixture
def upstream(provider, gateway) -> Iterator[FaultServer]:
    """The provider's upstream, which answers all at once."""
    with FaultServer() as server:
        provider(endpoint=server.url)
        gateway()
        server.answer = answer(stream(*END))
        yield server


def answer(body: bytes) -> Answer:
    return Answer(200, body, {"content-type": "text/event-stream"})


class Client:
    """What a client gets by ASGI's messages, and what `at_once` where it takes that."""

    def __init__(self, takes: Any = None) -> None:
        self.sent: list[bytes] = []
        self.at_once: list[tuple[int, Mapping[str, str], bytes, bool]] = []
        self._takes = takes

    @property
    def text(self) -> str:
        """The body, without what is made up anew for each answer."""
        whole = b"".join([*self.sent, *(each[2] for each in self.at_once)]).decode()
        return re.sub(r'"(id|created)":("[^"]*"|\d+)', "", whole)

    def send_whole(
        self, status: int, headers: Any, body: bytes, *, in_chunks: bool = False
    ) -> Any:
        if self._takes is False:
            return False
        self.at_once.append((status, headers, body, in_chunks))
        return self._takes() if callable(self._takes) else self._takes

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message.get("body", b""))

    async def receive(self) -> dict[str, Any]:
        messages = [{"role": "user", "content": "Hi"}]
        usage = {"include_usage": True}
        body = {"model": "gpt-4o-mini", "stream": True, "messages": messages}
        body["stream_options"] = usage
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def ask(self) -> None:
        from gateway.entry.handler import handle

        headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
        path = "/v1/chat/completions"
        scope: dict[str, Any] = {"path": path, "method": "POST", "headers": headers}
        if self._takes is not None:
            scope["extensions"] = {AT_ONCE: self.send_whole}
        way = transport.GuardedTransport(Rules(private_networks=("127.0.0.0/8",)))
        scope["client"] = ("127.0.0.1", 1)
        try:
            with transport.use(way):
                await handle(scope, self.receive, self.send)
        finally:
            await way.aclose()


def asked(takes: Any = None) -> Client:
    client = Client(takes)
    asyncio.run(client.ask())
    return client


def test_a_stream_that_is_all_here_goes_out_at_once(upstream, ledger):
    client = asked(True)
    ((status, headers, body, in_chunks),) = client.at_once
    assert (status, in_chunks, client.sent) == (200, True, [])
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-length" not in headers
    assert body.endswith(b"data: [DONE]\n\n")
    (row,) = ledger()
    assert (row["outcome"], row["finish_reason"]) == ("ok", "stop")
    assert (row["output_tokens"], row["status"]) == (40, 200)
    assert row["first_byte_ms"] <= row["duration_ms"]


def test_it_is_the_same_whichever_way_it_goes(upstream, ledger):
    clients = [asked(takes) for takes in (True, False, None)]
    texts = [client.text for client in clients]
    assert texts[0] == texts[1] == texts[2]
    assert all(word in texts[0] for word in WORDS)
    assert [bool(client.at_once) for client in clients] == [True, False, False]
    assert [row["outcome"] for row in ledger()] == ["ok"] * 3


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (stream(), "upstream_stream_truncated"),
        (stream(chunk([], error={"message": "broken"})), "broken"),
    ],
    ids=["without an end", "with an error"],
)
def test_what_is_not_complete_goes_part_by_part(upstream, body, says):
    upstream.answer = answer(body)
    client = asked(True)
    assert client.at_once == []
    assert says in client.text


def test_a_credential_is_taken_out(upstream):
    key = "Bearer sk-upstream-key-0123456789"
    said = chunk([{"index": 0, "delta": {"content": key}}])
    upstream.answer = answer(said + stream(*END))
    client = asked(True)
    assert len(client.at_once) == 1
    assert "[redacted]" in client.text
    assert "upstream-key" not in client.text


@pytest.mark.parametrize(
    ("reason", "outcome"), [((STALLED,), "client_stalled"), ((), "client_closed")]
)
def test_a_client_that_does_not_take_it_is_told_of(upstream, ledger, reason, outcome):
    async def cut_short() -> None:
        call: asyncio.Task[None]

        async def never() -> None:
            call.cancel(*reason)
            await asyncio.sleep(60)

        call = asyncio.create_task(Client(never).ask())
        await asyncio.wait([call])
        assert call.cancelled()

    asyncio.run(cut_short())
    assert [row["outcome"] for row in ledger()] == [outcome]


def test_a_long_one_goes_by_pieces(upstream, monkeypatch):
    from gateway.entry import handler

    whole = asked().text
    monkeypatch.setattr(handler, "PIECE_BYTES", 1000)
    client = asked(True)
    assert client.at_once == []
    assert max(map(len, client.sent)) == 1000
    assert client.text == whole

"""Parts of a stream that the server takes while its task waits for more."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.entry.request import WRITE
from providers import transport
from providers.transport.guard import Rules
from tests.faults import FaultServer

CHAT = "/v1/chat/completions"
EVENTS = 12


@pytest.fixture
def faulty(provider, gateway) -> Iterator[Callable[..., FaultServer]]:
    """Makes the provider's upstream one that streams, and fails as it is told."""
    with FaultServer() as server:

        def make(
            fault: str, interval: float = 0.01, events: int = EVENTS
        ) -> FaultServer:
            told = {"fault": fault, "events": str(events), "interval": str(interval)}
            headers = {f"x-{name}": value for name, value in told.items()}
            provider(endpoint=server.url, options={"extra_headers": headers})
            gateway()
            return server

        yield make


class Client:
    """What a client gets, and how: `written` parts of it without being awaited."""

    def __init__(self, takes: Callable[[], bool] | None) -> None:
        self.sent: list[bytes] = []
        self.written: list[bytes] = []
        self._takes = takes

    @property
    def text(self) -> str:
        """All of it, without what is made up anew for each answer."""
        whole = b"".join(self.sent).decode()
        return re.sub(r'"(id|created)":("[^"]*"|\d+)', "", whole)

    def write(self, part: bytes) -> bool:
        self.written.append(part)
        self.sent.append(part)
        assert self._takes is not None
        return self._takes()

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message.get("body", b""))

    async def receive(self) -> dict[str, Any]:
        messages = [{"role": "user", "content": "Hi"}]
        body = {"model": "gpt-4o-mini", "stream": True, "messages": messages}
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def ask(self) -> None:
        from gateway.entry.handler import handle

        headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
        scope: dict[str, Any] = {"path": CHAT, "method": "POST", "headers": headers}
        if self._takes is not None:
            scope["extensions"] = {WRITE: self.write}
        way = transport.GuardedTransport(Rules(private_networks=("127.0.0.0/8",)))
        with transport.use(way):
            await handle({**scope, "client": ("127.0.0.1", 1)}, self.receive, self.send)
        await way.aclose()


def asked(takes: Callable[[], bool] | None = None) -> Client:
    client = Client(takes)
    asyncio.run(client.ask())
    return client


def assert_written_at_once(client: Client) -> None:
    """Assert that nothing amid a stream was awaited: its begin and end are.

    How many pieces it has is the network's affair.
    """
    assert len(client.sent) - len(client.written) <= 6


@pytest.mark.parametrize(
    "fault", ["stream", "cut", "no-end-marker", "error-in-stream", "echo-in-stream"]
)
def test_a_stream_is_the_same_whichever_way_it_goes(faulty, fault, settings):
    settings.KEEPALIVE_SECONDS = 60
    faulty(fault)
    poured = asked(lambda: True)
    assert "word " in poured.text
    assert poured.text == asked().text


def test_what_comes_while_the_task_waits_is_written_at_once(faulty, ledger):
    faulty("stream")
    client = asked(lambda: True)
    assert client.text.count("word ") == EVENTS
    assert_written_at_once(client)
    (row,) = ledger()
    assert (row["outcome"], row["finish_reason"]) == ("ok", "stop")


def test_a_credential_in_pieces_is_withheld_from_what_is_written_at_once(
    faulty, ledger
):
    faulty("echo-in-stream")
    client = asked(lambda: True)
    assert "[redacted]" in client.text
    assert "upstream" not in client.text
    assert client.text.count("word ") == 24
    assert_written_at_once(client)
    (row,) = ledger()
    said = 24 * "word " + "Bearer sk-upstream-key-0123456789"
    assert row["output_tokens"] == len(said) // 4


def test_a_client_that_takes_no_more_is_waited_for(faulty):
    faulty("stream")
    client = asked(lambda: False)
    assert client.text.count("word ") == EVENTS
    for place, part in enumerate(client.sent):
        if part in client.written:
            assert client.sent[place + 1] == b""


def test_what_breaks_amid_it_ends_the_stream_as_a_failure_of_ours(faulty, ledger):
    def breaks() -> bool:
        raise RuntimeError("nobody foresaw this")

    server = faulty("stream")
    client = asked(breaks)
    assert len(client.written) == 1
    assert '"internal_error"' in client.text
    assert [row["outcome"] for row in ledger()] == ["interrupted"]
    assert server.wait_until(lambda: not server.open)


def test_silence_behind_it_is_filled_and_ends_with_the_client(faulty, settings):
    settings.KEEPALIVE_SECONDS = 0.05
    server = faulty("stream", 0.2, 100)

    def is_filled(client: Client) -> bool:
        _, _, rest = client.text.partition("word ")
        return len(client.written) >= 2 and rest.count("keep-alive") >= 2

    async def left() -> Client:
        client = Client(lambda: True)
        call = asyncio.create_task(client.ask())
        while not (call.done() or is_filled(client)):
            await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.wait([call])
        return client

    assert is_filled(asyncio.run(left()))
    assert server.wait_until(lambda: not server.open)

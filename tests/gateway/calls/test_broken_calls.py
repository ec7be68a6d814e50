"""A call that ends by an error of our own, or by a provider that cannot be called."""

import httpx
import pytest

from gateway.ledger.flusher import Flusher
from gateway.models import UsageRecord
from gateway.worker.runtime import runtime
from providers import transport
from providers.models import ModelProvider
from providers.transport.guard import Rules
from tests.faults import FaultServer

URL = "/v1/chat/completions"
LOOPBACK = transport.GuardedTransport(Rules(private_networks=("127.0.0.0/8",)))


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": "https://xn--a.com"},
        {"options": {"organization": "Büro"}},
        {"options": {"organization": "org\r\nx-evil: 1"}},
        {"options": {"extra_headers": {"x-team": "Büro"}}},
    ],
)
def test_a_provider_that_no_request_can_be_made_of_is_named(
    provider, upstream, gateway, door, changed
):
    """Rows may be older than the rule that refuses them."""
    provider("old")
    ModelProvider.objects.update(**changed)
    seen = upstream(json={})
    response = door.ask(gateway())
    assert "old" in door.check_refused(response, 503, "provider_unavailable")
    assert response.headers["retry-after"]
    assert seen == []


def _breaking(request):
    raise RuntimeError("nobody foresaw this")


async def _breaking_off():
    yield b'data: {"choices": [{"delta": {"content": "He"}, "index": 0}]}\n\n'
    raise RuntimeError("nobody foresaw this")


def _breaking_stream(request):
    headers = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=headers, content=_breaking_off())


def test_a_call_that_breaks_has_its_row_and_its_spool_goes(
    provider, upstream, gateway, door, ledger
):
    provider()
    upstream(_breaking)
    assert door.ask(gateway()).status_code == 500
    assert [row["outcome"] for row in ledger()] == ["interrupted"]
    runtime.spool._next_segment()
    Flusher(runtime.spool.folder).flush()
    (row,) = UsageRecord.objects.all()
    assert (row.outcome, row.status, row.error_code) == (
        "interrupted",
        500,
        "internal_error",
    )
    assert len(list(runtime.spool.folder.glob("*.jsonl"))) == 1


def test_a_stream_that_breaks_has_its_row_and_a_last_word(
    provider, upstream, gateway, streaming_door, ledger
):
    provider()
    upstream(_breaking_stream)
    response = streaming_door.ask(gateway(), stream=True)
    said = streaming_door.said_in(response.content)
    assert said.text == "He"
    assert said.failure
    (row,) = ledger()
    assert (row["outcome"], row["error_code"]) == ("interrupted", "internal_error")


def refused_amid_it(ask):
    """Return the refusal of a call whose answer had begun.

    On a busy machine its time may be over before that, which is told in other words.
    """
    for _ in range(9):
        response = ask()
        if "took too long" in response.text:
            return response
    return response


def test_a_whole_answer_has_a_total_time(provider, gateway, door, ledger):
    with FaultServer() as server, transport.use(LOOPBACK):
        provider(
            endpoint=server.url,
            private_network=True,
            options={
                "extra_headers": {"x-fault": "drip", "x-interval": "0.2"},
                "timeouts": {"total": 1},
            },
        )
        client = gateway()
        response = refused_amid_it(lambda: door.ask(client))
    told = door.check_refused(response, 504, "upstream_timeout")
    assert "took too long" in told


def test_the_total_time_of_a_stream_holds_before_its_first_event(
    provider, gateway, streaming_door
):
    with FaultServer() as server, transport.use(LOOPBACK):
        provider(
            endpoint=server.url,
            private_network=True,
            options={
                "extra_headers": {"x-fault": "drip", "x-interval": "0.2"},
                "timeouts": {"total": 1},
            },
        )
        client = gateway()
        response = refused_amid_it(lambda: streaming_door.ask(client, stream=True))
    told = streaming_door.check_refused(response, 504, "upstream_timeout")
    assert "took too long" in told

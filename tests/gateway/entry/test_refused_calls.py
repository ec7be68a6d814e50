"""What the gateway refuses itself stands in the ledger, and never without bound."""

import time

import pytest

from gateway.errors import GatewayError
from gateway.ledger.flusher import Flusher
from gateway.ledger.refusals import MAX_KINDS
from gateway.ledger.spool import Entry
from gateway.models import UsageRecord
from gateway.worker.capacity import capacity
from gateway.worker.runtime import runtime

pytestmark = pytest.mark.django_db(transaction=True)

COMPLETIONS = "/v1/chat/completions"
WRONG = {"authorization": f"Bearer ra_{'x' * 40}"}


@pytest.fixture
def stored(ledger):
    """Return the ledger's rows, oldest first, after carrying them to the database."""

    def rows():
        Flusher(runtime.spool.folder).flush()
        return list(UsageRecord.objects.order_by("pk"))

    return rows


def test_an_unknown_model_leaves_a_row_that_says_so(gateway, door, stored):
    answer = door.ask(gateway(), model="gpt-nope")
    (row,) = stored()
    assert answer.status_code == 404
    assert (row.outcome, row.status, row.failed) == ("refused", 404, True)
    assert (row.model, row.caller, row.provider) == ("gpt-nope", "local", "")
    told = door.check_refused(answer, 404, row.error_code)
    assert row.error_code == "model_not_found"
    assert row.error_message in told
    assert row.request_id == answer.headers["x-request-id"]
    assert row.calls is None


@pytest.mark.parametrize(
    ("body", "model"),
    [
        ('{"model": "gpt-4o", "messages": 1}', "gpt-4o"),
        ('{"model": 7, "messages": []}', ""),
        ("{", ""),
    ],
)
def test_a_bad_body_leaves_a_row(gateway, door, stored, body, model):
    headers = {"content-type": "application/json"}
    assert gateway().post(door.path, content=body, headers=headers).is_client_error
    (row,) = stored()
    assert (row.outcome, row.status, row.model) == ("refused", 400, model)


def test_a_model_that_cannot_be_loaded_leaves_a_row(gateway, stored):
    client = gateway()
    for path in ("/api/chat", "/api/generate"):
        assert client.post(path, json={"model": "gpt-nope"}).status_code == 404
    rows = [(row.status, row.model, row.door, row.outcome) for row in stored()]
    assert rows == [(404, "gpt-nope", "ollama", "refused")] * 2


def test_wrong_keys_are_counted_by_the_minute(gateway, door, stored, monkeypatch):
    client = gateway("192.0.2.7")
    for _ in range(7):
        assert client.post(door.path, json=door.body, headers=WRONG).status_code == 401
    assert [(row.status, row.calls) for row in stored()] == [(401, None)]
    runtime.refusals.settle()
    assert len(stored()) == 1
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    runtime.refusals.settle()
    assert [(row.status, row.calls) for row in stored()] == [(401, None), (401, 6)]
    assert all(row.duration_ms < 30_000 for row in stored())


def test_a_call_without_a_key_and_a_wrong_path_are_told_apart(gateway, chat, stored):
    client = gateway("192.0.2.7")
    for path in (COMPLETIONS, "/v1/chat/completion"):
        client.post(path, json=chat)
    assert [row.status for row in stored()] == [401, 404]


def test_kinds_without_end_have_no_rows_without_end(stored):
    for number in range(MAX_KINDS + 50):
        error = GatewayError(404, "not_found_error", "no", code=f"code-{number}")
        runtime.refusals.note(Entry(runtime.spool, request_id="r", caller=""), error)
    assert len(stored()) == MAX_KINDS


def test_what_reached_the_provider_is_not_refused_here(
    gateway, door, stored, provider, upstream
):
    provider()
    upstream(json={"error": {"message": "no", "type": "x"}}, status=400)
    door.ask(gateway())
    assert [row.outcome for row in stored()] == ["upstream_error"]


def test_the_sandbox_refuses_as_a_provider(gateway, stored):
    gateway().post("/sandbox/v1/chat/completions", json={})
    assert stored() == []


def test_health_and_lists_leave_no_row(gateway, stored):
    client = gateway()
    for path in ("/healthz", "/readyz", "/v1/models"):
        assert client.get(path).status_code in (200, 503)
    runtime.refusals.settle(at_once=True)
    assert [row for row in stored() if row.status != 503] == []


def test_a_request_that_breaks_before_it_is_a_call_leaves_a_row(
    gateway, door, stored, monkeypatch
):
    def break_down(*_):
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(capacity, "enter", break_down)
    answer = door.ask(gateway())
    (row,) = stored()
    assert (answer.status_code, row.status) == (500, 500)
    assert (row.error_code, row.caller) == ("internal_error", "local")
    assert row.request_id == answer.headers["x-request-id"]


def test_a_call_that_breaks_before_it_is_sent_leaves_a_row(
    provider, gateway, door, stored, monkeypatch
):
    def break_down(*_):
        raise RuntimeError("nobody foresaw this")

    provider()
    monkeypatch.setattr(capacity, "enter_provider", break_down)
    assert door.ask(gateway()).status_code == 500
    (row,) = stored()
    assert (row.status, row.error_code) == (500, "internal_error")
    assert row.model == door.body["model"]

"""Programs that call past the gateway are told so by it, not by a page."""

import pytest

from gateway.ledger.flusher import Flusher
from gateway.models import UsageRecord
from gateway.worker.runtime import runtime
from providers.models import WorkspaceKey

# As other gateways and vendors have it, which is what base URLs are copied from.
CHAT_STRAYS = [
    ("/openai/v1/chat/completions", "/v1/chat/completions"),
    ("/openai/deployments/gpt-4o/chat/completions", "/chat/completions"),
    ("/api/openai/v1/chat/completions", "/v1/chat/completions"),
    ("/v1beta/openai/chat/completions", "/chat/completions"),
    ("/proxy//v1/chat/completions/", "/v1/chat/completions/"),
]
OTHERS = [
    "/v1beta/models/gemini-2.5-flash:generateContent",
    "/model/anthropic.claude-3/converse",
    "/engines/davinci/completions/nowhere",
]
OF_OLLAMA = ["/api/pull", "/api/create", "/api/ps", "/api/blobs/sha256:29fdb92e57cf"]


@pytest.mark.parametrize(("path", "right"), CHAT_STRAYS)
def test_a_wrong_base_url_is_told_the_right_one(gateway, chat, path, right):
    answer = gateway().post(path, json=chat)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "unknown_url"
    assert f"at {right}" in error["message"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", OTHERS)
def test_an_unknown_path_is_told_where_chat_is(gateway, chat, path):
    answer = gateway().post(path, json=chat)
    assert answer.status_code == 404
    assert "at /v1/chat/completions" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", OF_OLLAMA)
def test_ollamas_clients_are_told_so_in_a_sentence(gateway, path):
    """They show `error` as it comes, JavaScript's an object as `[object Object]`."""
    answer = gateway().post(path, json={"model": "llama3.2"})
    assert answer.status_code == 404
    assert answer.json().keys() == {"error"}
    assert "at /v1/chat/completions" in answer.json()["error"]


@pytest.mark.django_db(transaction=True)
def test_what_missed_the_gateway_stands_in_the_ledger(gateway, chat):
    gateway().post("/openai/v1/chat/completions", json=chat)
    Flusher(runtime.spool.folder).flush()
    (row,) = UsageRecord.objects.all()
    assert (row.outcome, row.error_code) == ("refused", "unknown_url")
    assert "/openai/v1/chat/completions" in row.error_message


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "api-key"])
def test_whoever_brings_a_key_is_a_program(gateway, name):
    answer = gateway().get("/openai/v1/models", headers={name: "Bearer sk-0123456789"})
    assert answer.json()["error"]["code"] == "unknown_url"
    assert "at /v1/models" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/nowhere", {}),
        ("/nowhere", {"authorization": "Basic Og=="}),
        ("/models/nowhere/", {"authorization": "Bearer of-a-proxy"}),
        ("/login", {"authorization": "Bearer of-a-proxy"}),
    ],
)
def test_a_browser_gets_the_console(gateway, path, headers):
    answer = gateway().get(path, headers=headers)
    assert "x-request-id" not in answer.headers


@pytest.mark.parametrize("path", ["/login/", "/playground/stream/", "/models/new/"])
def test_a_program_at_a_page_gets_the_page(gateway, path):
    answer = gateway().post(path, json={})
    assert "x-request-id" not in answer.headers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("start", ["/api", "/api/v1"])
@pytest.mark.parametrize("header", ["x-runagents-api-key", "authorization"])
def test_the_http_api_answers_whoever_has_a_key_for_it(gateway, start, header):
    key = WorkspaceKey.issue("ci").plaintext
    value = key if header.startswith("x-") else f"Bearer {key}"
    path = f"{start}/model-provider"
    answer = gateway().post(path, json={}, headers={header: value})
    assert answer.json() == {"error": f"{path} does not exist"}

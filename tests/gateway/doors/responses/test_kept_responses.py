"""Responses that a provider keeps, asked for by their ids."""

import json

import httpx
import pytest

from providers.models import WorkspaceKey
from tests.gateway.doors.responses.conftest import URL
from tests.grammar import responses

HOME = {"endpoint": "https://api.openai.com", "private_network": False}
KEPT = {
    "id": "resp_6",
    "object": "response",
    "status": "completed",
    "model": "gpt-4o-mini-2024-07-18",
    "output": [],
    "usage": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11},
}
ITEMS = {"object": "list", "data": [{"type": "message"}], "has_more": False}
DELETED = {"id": "resp_6", "object": "response", "deleted": True}
ERROR = {"message": "Response with id 'resp_6' not found.", "type": "invalid"}


@pytest.fixture
def home(provider):
    """OpenAI's own server, and one that is sent translations."""
    provider("home", **HOME)
    return provider("other")


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "resp_6", KEPT),
        ("GET", "resp_6?include%5B%5D=reasoning.encrypted_content", KEPT),
        ("DELETE", "resp_6", DELETED),
        ("POST", "resp_6/cancel", {**KEPT, "status": "cancelled"}),
        ("GET", "resp_6/input_items", ITEMS),
        ("GET", "resp_6/input_items?after=msg_1&limit=2&order=asc", ITEMS),
    ],
)
@pytest.mark.parametrize("before", ["/v1/p/home", "/p/home/v1", "/v1"])
def test_who_keeps_it_is_asked(
    home, upstream, gateway, ledger, before, method, path, told
):
    seen = upstream(json=told)
    answer = gateway().request(method, f"{before}/responses/{path}")
    assert (answer.status_code, answer.json()) == (200, told)
    assert (seen[0].method, seen[0].url.host) == (method, "api.openai.com")
    assert seen[0].url.raw_path.decode() == f"/v1/responses/{path}"
    assert seen[0].headers["authorization"] == "Bearer sk-upstream-key-0123456789"
    if method != "POST":
        assert seen[0].content == b""
    (row,) = ledger()
    assert (row["door"], row["provider"], row["outcome"]) == ("responses", "home", "ok")
    # It was counted when it was made.
    assert "input_tokens" not in row


def test_the_rest_of_a_stream_is_passed_on(home, upstream, gateway, ledger):
    done = {**KEPT, "status": "completed"}
    events = [
        {"type": "response.output_text.delta", "sequence_number": 7, "delta": "lo"},
        {"type": "response.completed", "sequence_number": 8, "response": done},
    ]
    frames = [
        f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode()
        for each in events
    ]
    seen = upstream(stream=frames)
    path = "/v1/p/home/responses/resp_6?stream=true&starting_after=6"
    answer = gateway().get(path)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.content == b"".join(frames)
    assert seen[0].url.query == b"stream=true&starting_after=6"
    (row,) = ledger()
    assert (row["outcome"], row["stream"]) == ("ok", True)
    assert not row.keys() & {"input_tokens", "output_tokens", "estimated"}


def test_the_rest_of_a_stream_that_breaks_off_says_so(home, upstream, gateway):
    event = {"type": "response.output_text.delta", "sequence_number": 7, "delta": "lo"}
    upstream(stream=[f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()])
    answer = gateway().get("/v1/p/home/responses/resp_6?stream=true")
    told = responses.events_of(answer.content)
    assert [each["sequence_number"] for each in told] == [7, 8, 9]


def test_a_refusal_comes_in_the_upstreams_words(home, upstream, gateway, ledger):
    upstream(status=404, json={"error": ERROR})
    answer = gateway().get("/v1/p/home/responses/resp_6")
    assert answer.status_code == 404
    assert ERROR["message"] in answer.json()["error"]["message"]
    (row,) = ledger()
    assert (row["outcome"], row["status"]) == ("upstream_error", 404)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/p/other/responses/resp_6",
        "/v1/p/nobody/responses/resp_6",
        "/v1/p/home/responses/resp_g1" + "a" * 22,
        "/v1/p/home/responses/resp_a%3Fb",
    ],
)
def test_what_nobody_keeps_is_not_asked_for(home, upstream, gateway, path):
    seen = upstream(json={})
    answer = gateway().get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["param"] == "response_id"
    assert not seen


def test_where_two_may_keep_it_one_must_be_named(home, provider, upstream, gateway):
    provider("azure", endpoint="https://h.openai.azure.com", private_network=False)
    seen = upstream(json=KEPT)
    client = gateway()
    assert client.get(f"{URL}/resp_6").status_code == 404
    assert client.get("/v1/p/azure/responses/resp_6").status_code == 200
    assert seen[0].url.host == "h.openai.azure.com"


def test_a_key_sees_what_its_own_providers_keep(home, upstream, gateway):
    seen = upstream(json=KEPT)
    key = WorkspaceKey.issue("ci", ["other/*"]).plaintext
    client = gateway(headers={"authorization": f"Bearer {key}"})
    for path in (f"{URL}/resp_6", "/v1/p/home/responses/resp_6"):
        assert client.get(path).status_code == 404
    assert not seen


def test_questions_count_towards_the_providers_limit(provider, upstream, gateway):
    provider("home", requests_per_minute=1, **HOME)
    upstream(json=KEPT)
    client = gateway()
    assert client.get(f"{URL}/resp_6").status_code == 200
    assert client.get(f"{URL}/resp_6").status_code == 429


def test_a_key_is_asked_for(home, gateway):
    path = "/v1/p/home/responses/resp_6"
    assert gateway(host="10.1.2.3").get(path).status_code == 401


def test_another_method_is_refused(home, gateway):
    client = gateway()
    for method, path, allowed in (
        ("POST", "resp_6", "GET, DELETE"),
        ("GET", "resp_6/cancel", "POST"),
        ("DELETE", "resp_6/input_items", "GET"),
    ):
        answer = client.request(method, f"/v1/p/home/responses/{path}", json={})
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_an_answer_that_says_a_credential_is_redacted(home, upstream, gateway):
    said = json.dumps({**KEPT, "output": [{"text": "sk-upstream-key-0123456789"}]})
    upstream(lambda request: httpx.Response(200, text=said))
    assert "sk-upstream" not in gateway().get(f"{URL}/resp_6").text

"""The main job: one URL, any provider; who may call it, and how failures look."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from providers.models import ModelProvider, Secret, WorkspaceKey
from runagents.agents.models import Agent, AgentKey, Wire

URL = "/v1/chat/completions"


def event(choice: dict | None = None, **fields) -> bytes:
    """One frame of OpenAI's stream, with a choice or without."""
    choices = [] if choice is None else [{"index": 0, **choice}]
    return (
        b"data: "
        + json.dumps({"id": "c", "choices": choices, **fields}).encode()
        + (b"\n\n")
    )


ROLE = event({"delta": {"role": "assistant", "content": ""}})
TEXT = event({"delta": {"content": "hel"}})
MORE = event({"delta": {"content": "lo"}})
STOP = event({"delta": {}, "finish_reason": "stop"})
USAGE = event(usage={"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11})
DONE = b"data: [DONE]\n\n"


def frames(text: str) -> list[dict | str]:
    """The data of each event; `[DONE]` as it stands."""
    found = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    return [f if f == "[DONE]" else json.loads(f) for f in found]


def test_an_answer_comes_back_with_the_credential_injected(
    provider, upstream, gateway, chat, completion, ledger
):
    provider()
    seen = upstream(json=completion)
    response = gateway().post(URL, json=chat)
    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == "hello"
    assert response.json()["model"] == "gpt-4o-mini"
    assert seen[0].headers["authorization"] == "Bearer sk-upstream-key-0123456789"
    assert seen[0].url.path == "/v1/chat/completions"
    (row,) = ledger()
    assert row["outcome"] == "ok"
    assert (row["caller"], row["input_tokens"], row["output_tokens"]) == ("local", 9, 2)


def test_a_stream_comes_through_chunk_by_chunk(
    provider, upstream, gateway, chat, ledger
):
    provider()
    upstream(stream=[ROLE, TEXT, MORE, STOP, USAGE, DONE])
    response = gateway().post(URL, json={**chat, "stream": True})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    *chunks, done = frames(response.text)
    assert done == "[DONE]"
    text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks)
    assert text == "hello"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert not any("usage" in chunk for chunk in chunks)
    (row,) = ledger()
    assert (row["outcome"], row["output_tokens"], row["stream"]) == ("ok", 2, True)
    assert row["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/chat/completions",
        "/v1/p/openai/chat/completions",
        "/v1/p/openai/v1/chat/completions",
        "/api/v1/chat/completions",
        "/v1/v1/chat/completions",
        "/v1/chat/completions/v1/chat/completions",
        "/v1/chat/completions/chat/completions",
    ],
)
def test_every_alias_leads_to_the_same_place(
    provider, upstream, gateway, chat, completion, path
):
    provider()
    upstream(json=completion)
    response = gateway().post(path, json=chat)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (
            {"messages": [{"role": "user", "content": "x"}]},
            400,
            "missing_field",
            "model",
        ),
        ({"model": 3, "messages": []}, 400, "invalid_value", "model"),
        ({"model": "gpt-4o-mini"}, 400, "missing_field", "messages"),
        ({"model": "gpt-4o-mini", "messages": "x"}, 400, "invalid_value", "messages"),
        ({"model": "gpt-4o-mni", "messages": [{}]}, 404, "model_not_found", "model"),
        (
            {"model": "gpt-4o-mini", "messages": [{}], "stream": "yes"},
            400,
            "invalid_value",
            "stream",
        ),
    ],
)
def test_a_wrong_request_is_told_its_field(
    provider, gateway, body, status, code, param
):
    provider()
    response = gateway().post(URL, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (
        status,
        code,
        param,
    )
    assert set(error) == {"message", "type", "param", "code"}


def test_an_unknown_model_is_told_near_names(provider, gateway, chat):
    provider()
    response = gateway().post(URL, json={**chat, "model": "gpt-4o-mni"})
    message = response.json()["error"]["message"]
    assert 'no provider found for model "gpt-4o-mni"' in message
    assert "Did you mean gpt-4o-mini?" in message


def test_malformed_json_is_a_400(provider, gateway):
    provider()
    response = gateway().post(
        URL, content=b"{", headers={"content-type": "application/json"}
    )
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_json"


def test_a_body_over_the_limit_is_a_413(provider, gateway, settings):
    settings.REQUEST_BODY_LIMIT = 1000
    response = gateway().post(URL, json={"model": "x" * 2000})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "text/plain"}, {"content-encoding": "gzip"}],
)
def test_a_body_that_is_not_plain_json_is_a_415(gateway, headers):
    headers = {"content-type": "application/json", **headers}
    response = gateway().post(URL, content=b"{}", headers=headers)
    assert response.status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"via": "1.1 proxy"},
        {"origin": "http://127.0.0.1:8000"},
        {"x-forwarded-port": "80"},
        {"x_forwarded_for": "127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"true-client-ip": "10.0.0.1"},
        {"x-cluster-client-ip": "10.0.0.1"},
        {"cf-connecting-ip": "10.0.0.1"},
        {"cf-ray": "0"},
        {"fly-region": "ams"},
        {"x-envoy-external-address": "10.0.0.1"},
        {"sec-fetch-mode": "cors"},
        {"sec_ch_ua": "x"},
        {"host": "attacker.example"},
        {"host": "é".encode()},
        {"host": "["},
    ],
)
def test_keyless_calls_need_a_program_on_this_machine(provider, gateway, chat, headers):
    provider()
    response = gateway().post(URL, json=chat, headers=headers)
    assert response.status_code == 401


def test_keyless_calls_from_elsewhere_are_refused(provider, gateway, chat):
    provider()
    response = gateway(host="10.1.2.3").post(URL, json=chat)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"


def test_platform_managed_counts_as_no_key(
    provider, upstream, gateway, chat, completion
):
    provider()
    upstream(json=completion)
    headers = {"authorization": "Bearer platform-managed"}
    response = gateway(headers=headers).post(URL, json=chat)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "header", ["authorization", "x-api-key", "x-runagents-api-key"]
)
def test_a_key_is_taken_from_any_of_its_headers(
    provider, upstream, gateway, chat, completion, header
):
    provider()
    upstream(json=completion)
    key = AgentKey.issue(Agent.objects.create(name="a", access="all")).plaintext
    value = f"Bearer {key}" if header == "authorization" else key
    client = gateway(host="10.1.2.3", headers={header: value})
    assert (client.post(URL, json=chat)).status_code == 200


def test_two_different_keys_are_ambiguous(provider, gateway, chat):
    agent = Agent.objects.create(name="a", access="all")
    one, two = AgentKey.issue(agent).plaintext, AgentKey.issue(agent).plaintext
    headers = {"authorization": f"Bearer {one}", "x-api-key": two}
    response = gateway(headers=headers).post(URL, json=chat)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "ambiguous_credentials"


def test_a_revoked_key_is_refused(provider, gateway, chat):
    key = AgentKey.issue(Agent.objects.create(name="a", access="all")).plaintext
    AgentKey.objects.get().revoke()
    headers = {"authorization": f"Bearer {key}"}
    assert (gateway(headers=headers).post(URL, json=chat)).status_code == 401


def refusal_of(gateway, chat, key):
    headers = {"authorization": f"Bearer {key.plaintext}"}
    answer = gateway(headers=headers).post(URL, json=chat)
    return answer.status_code, answer.json()["error"]


def test_an_expired_key_is_refused_with_its_date(provider, gateway, chat):
    ended = datetime(2026, 1, 2, tzinfo=UTC)
    for key in (
        WorkspaceKey.issue("old", expires_at=ended),
        AgentKey.issue(Agent.objects.create(name="a"), expires_at=ended),
    ):
        status, error = refusal_of(gateway, chat, key)
        assert (status, error["code"]) == (401, "api_key_expired")
        assert "expired on 2026-01-02 at 00:00 UTC" in error["message"]


def test_an_expired_key_is_no_wrong_key(provider, gateway, chat):
    ended = datetime(2026, 1, 2, tzinfo=UTC)
    key = WorkspaceKey.issue("old", expires_at=ended)
    headers = {"authorization": f"Bearer {key.plaintext}"}
    client = gateway(headers=headers)
    assert {client.post(URL, json=chat).status_code for _ in range(62)} == {401}


def test_a_paused_key_is_refused_until_it_is_resumed(
    provider, upstream, gateway, chat, completion
):
    provider()
    upstream(json=completion)
    key = AgentKey.issue(Agent.objects.create(name="a", access="all"))
    AgentKey.objects.get().pause(paused=True)
    status, error = refusal_of(gateway, chat, key)
    assert (status, error["code"]) == (403, "api_key_paused")
    AgentKey.objects.get().pause(paused=False)
    headers = {"authorization": f"Bearer {key.plaintext}"}
    assert gateway(headers=headers).post(URL, json=chat).status_code == 200


@pytest.mark.parametrize(
    ("reach", "status"),
    [
        ([], 200),
        (["gpt-4o-mini"], 200),
        (["openai/gpt-4o-mini"], 200),
        (["openai/*"], 200),
        (["gpt-4o"], 403),
        (["other/gpt-4o-mini", "other/*"], 403),
    ],
)
def test_a_workspace_key_reaches_what_it_was_narrowed_to(
    provider, upstream, gateway, chat, completion, reach, status
):
    provider("openai", models=("gpt-4o-mini",))
    upstream(json=completion)
    key = WorkspaceKey.issue("ci", reach)
    client = gateway(headers={"authorization": f"Bearer {key.plaintext}"})
    answer = client.post(URL, json=chat)
    assert answer.status_code == status
    listed = client.get("/v1/models").json()["data"]
    assert [each["id"] for each in listed] == (["gpt-4o-mini"] if status == 200 else [])
    if status == 403:
        assert answer.json()["error"]["code"] == "model_not_allowed"


def test_a_bad_key_from_this_machine_is_not_treated_as_keyless(provider, gateway, chat):
    provider()
    headers = {"authorization": "Bearer sk-something"}
    assert (gateway(headers=headers).post(URL, json=chat)).status_code == 401


def test_an_agent_reaches_exactly_what_it_is_wired_to(
    provider, upstream, gateway, chat, completion
):
    row = provider(models=("gpt-4o-mini", "gpt-4o"))
    upstream(json=completion)
    agent = Agent.objects.create(name="a")
    Wire.objects.create(agent=agent, provider=row, model_id="gpt-4o-mini")
    headers = {"authorization": f"Bearer {AgentKey.issue(agent).plaintext}"}
    client = gateway(headers=headers)
    assert (client.post(URL, json=chat)).status_code == 200
    response = client.post(URL, json={**chat, "model": "gpt-4o"})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "model_not_allowed"
    listed = (client.get("/v1/models")).json()["data"]
    assert [model["id"] for model in listed] == ["gpt-4o-mini"]


def test_a_workspace_key_reaches_every_model(
    provider, upstream, gateway, chat, completion
):
    provider()
    upstream(json=completion)
    headers = {"x-runagents-api-key": WorkspaceKey.issue("ci").plaintext}
    client = gateway(host="10.1.2.3", headers=headers)
    assert (client.post(URL, json=chat)).status_code == 200


def test_the_lowest_priority_number_wins_and_a_name_pins(
    provider, upstream, gateway, chat, completion
):
    provider("first", endpoint="http://127.0.0.1:1", priority=200)
    provider("second", endpoint="http://127.0.0.1:2", priority=100)
    seen = upstream(json=completion)
    client = gateway()
    client.post(URL, json=chat)
    client.post(URL, json={**chat, "model": "first/gpt-4o-mini"})
    client.post("/v1/p/first/chat/completions", json=chat)
    assert [request.url.port for request in seen] == [2, 1, 1]


def test_an_unreachable_provider_hands_over_to_the_next(
    provider, upstream, gateway, chat, completion, ledger
):
    provider("one", endpoint="http://127.0.0.1:1")
    provider("two", endpoint="http://127.0.0.1:2")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.port == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=completion)

    upstream(answer)
    response = gateway().post(URL, json=chat)
    assert response.status_code == 200
    assert response.headers["x-gateway-provider"] == "two"
    (row,) = ledger()
    assert (row["provider"], row["outcome"]) == ("two", "ok")


def test_a_timeout_does_not_hand_over_because_it_may_be_billed(
    provider, upstream, gateway, chat
):
    provider("one", endpoint="http://127.0.0.1:1")
    provider("two", endpoint="http://127.0.0.1:2")

    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("silence")

    seen = upstream(answer)
    response = gateway().post(URL, json=chat)
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "upstream_timeout"
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (
            {"status": 401, "json": {"error": {"message": "bad"}}},
            502,
            "upstream_auth_error",
        ),
        (
            {"status": 302, "headers": {"location": "http://x"}},
            502,
            "upstream_invalid_response",
        ),
        ({"status": 204}, 502, "upstream_invalid_response"),
        ({"status": 503, "json": {"error": {"message": "busy"}}}, 503, "overloaded"),
        ({"json": []}, 502, "upstream_invalid_response"),
    ],
)
def test_an_upstream_failure_has_its_status_and_code(
    provider, upstream, gateway, chat, ledger, answer, status, code
):
    provider()
    upstream(**answer)
    response = gateway().post(URL, json=chat)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    (row,) = ledger()
    assert (row["outcome"], row["error_code"]) == ("upstream_error", code)


def test_a_provider_that_answers_html_is_a_502_without_the_html(
    provider, upstream, gateway, chat
):
    provider()
    upstream(lambda request: httpx.Response(200, html="<h1>Welcome</h1>"))
    response = gateway().post(URL, json=chat)
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_invalid_response"
    assert "<h1>" not in response.text


def test_an_undecryptable_secret_stops_that_provider_only(
    provider, upstream, gateway, chat, completion
):
    provider("broken", models=("a",))
    provider("fine", models=("gpt-4o-mini",))
    Secret.objects.filter(name="broken-secret").update(sealed="v1:00000000:AAAA")
    upstream(json=completion)
    client = gateway()
    response = client.post(URL, json={**chat, "model": "a"})
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "provider_unavailable"
    assert response.headers["retry-after"]
    assert (client.post(URL, json=chat)).status_code == 200


def test_a_repointed_provider_sends_no_key(provider, upstream, gateway, chat):
    provider()
    ModelProvider.objects.update(endpoint="http://127.0.0.2:1")
    seen = upstream(json={})
    response = gateway().post(URL, json=chat)
    assert response.status_code == 503
    assert seen == []


def test_an_error_before_the_first_byte_keeps_its_status(
    provider, upstream, gateway, chat
):
    provider()
    upstream(stream=[event(error={"message": "x", "code": "rate_limit_exceeded"})])
    response = gateway().post(URL, json={**chat, "stream": True})
    assert response.status_code == 429


@pytest.mark.parametrize("tail", [[], [TEXT[:20]]])
def test_a_stream_cut_short_ends_in_one_error_frame(
    provider, upstream, gateway, chat, ledger, tail
):
    provider()
    upstream(stream=[ROLE + TEXT, *tail])
    response = gateway().post(URL, json={**chat, "stream": True})
    *chunks, error = frames(response.text)
    assert error["error"]["code"] == "upstream_stream_truncated"
    assert not any(c["choices"][0].get("finish_reason") for c in chunks)
    (row,) = ledger()
    assert row["outcome"] == "upstream_error"
    assert row["estimated"] is True


def test_claudes_first_count_is_no_final_one(provider, upstream, gateway, chat, ledger):
    provider(provider_type="anthropic")
    usage = {"input_tokens": 3, "output_tokens": 1}
    start = {"id": "m", "type": "message", "role": "assistant", "content": []}
    text = {"type": "text_delta", "text": "word " * 40}
    events = [
        {"type": "message_start", "message": {**start, "usage": usage}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": text},
    ]
    parts = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in events]
    upstream(stream=parts)
    gateway().post(URL, json={**chat, "stream": True})
    (row,) = ledger()
    assert (row["input_tokens"], row["output_tokens"]) == (3, 50)
    assert row["estimated"] is True


def test_a_credential_echoed_by_the_upstream_is_redacted(
    provider, upstream, gateway, chat, completion
):
    provider()
    completion["choices"][0]["message"]["content"] = "key sk-upstream-key-0123456789"
    upstream(json=completion)
    response = gateway().post(URL, json=chat)
    assert "sk-upstream" not in response.text
    assert "[redacted]" in response.text


@pytest.mark.parametrize("before", [b"", ROLE + TEXT])
def test_a_credential_echoed_in_a_stream_is_redacted(
    provider, upstream, gateway, chat, ledger, before
):
    provider(value_prefix="", key="Odd-key-0123456789")
    told = {"error": {"message": "no Odd-key-0123456789", "type": "server_error"}}
    text = {"choices": [{"index": 0, "delta": {"content": "Odd-key-0123456789"}}]}
    parts = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in (text, told)]
    whole = b"".join(parts[1:] if not before else parts)
    # Cut within the credential.
    upstream(stream=[before + whole[:60], whole[60:]])
    response = gateway().post(URL, json={**chat, "stream": True})
    assert "Odd-key" not in response.text
    assert "[redacted]" in response.text
    (row,) = ledger()
    assert row["error_message"].endswith("no [redacted]")


ODD_KEY = "odd/key+0&1\"2\\3<4>='"


def _as_php(key: str) -> str:
    return json.dumps(key)[1:-1].replace("/", "\\/")


def _as_dotnet(key: str) -> str:
    hidden = {each: f"\\u{ord(each):04X}" for each in "\"'<>&+"}
    return json.dumps(key)[1:-1].replace('\\"', '"').translate(str.maketrans(hidden))


def _as_go(key: str) -> str:
    hidden = {each: f"\\u{ord(each):04x}" for each in "<>&"}
    return json.dumps(key)[1:-1].translate(str.maketrans(hidden))


@pytest.mark.parametrize(
    "spell", [lambda key: json.dumps(key)[1:-1], _as_php, _as_dotnet, _as_go]
)
@pytest.mark.parametrize("how", ["whole", "refusal", "stream", "stream's error"])
def test_a_credential_is_redacted_however_json_spells_it(
    provider, upstream, gateway, chat, completion, ledger, spell, how
):
    provider(key=ODD_KEY, value_prefix="")
    said = spell(ODD_KEY)
    assert json.loads(f'"{said}"') == ODD_KEY
    error = b'{"error":{"message":"no %b","type":"server_error"}}' % said.encode()
    delta = b'{"id":"c","choices":[{"index":0,"delta":{"content":"%b"}}]}'
    whole = json.dumps(completion).replace("hello", said).encode()
    match how:
        case "whole":
            upstream(lambda request: httpx.Response(200, content=whole))
        case "refusal":
            upstream(lambda request: httpx.Response(400, content=error))
        case "stream":
            event = b"data: " + delta % said.encode() + b"\n\n"
            upstream(stream=[ROLE, event, STOP, DONE])
        case _:
            upstream(stream=[ROLE, TEXT, b"data: " + error + b"\n\n"])
    is_stream = how.startswith("stream")
    response = gateway().post(URL, json={**chat, "stream": is_stream})
    told = frames(response.text) if is_stream else [response.json()]
    assert "[redacted]" in response.text
    assert json.dumps(ODD_KEY)[1:-1] not in json.dumps([*told, *ledger()])


def test_what_is_escaped_without_need_is_redacted(
    provider, upstream, gateway, chat, completion
):
    provider()
    hidden = "".join(f"\\u{ord(each):04x}" for each in "sk-upstream-key-0123456789")
    whole = json.dumps(completion).replace("hello", hidden).encode()
    upstream(lambda request: httpx.Response(200, content=whole))
    response = gateway().post(URL, json=chat)
    assert response.json()["choices"][0]["message"]["content"] == "[redacted]"


def test_a_secret_that_is_not_used_any_more_fails_no_call(
    provider, upstream, gateway, chat, completion
):
    row = provider()
    row.auth_type, row.endpoint = "none", "http://127.0.0.1:10"
    row.save()
    upstream(json=completion)
    assert gateway().post(URL, json=chat).status_code == 200


def test_a_secret_whose_addresses_were_edited_is_not_used_from_memory(
    provider, upstream, gateway, chat, completion
):
    row = provider()
    seen = upstream(json=completion)
    assert gateway().post(URL, json=chat).status_code == 200
    row.secret.origins = [*row.secret.origins, "https://elsewhere.example:443"]
    row.secret.save(update_fields=["origins"])
    response = gateway().post(URL, json=chat)
    assert response.json()["error"]["code"] == "provider_unavailable"
    assert len(seen) == 1


def test_a_request_over_the_limit_is_a_429_that_reached_nobody(
    provider, upstream, gateway, chat, completion, ledger
):
    provider(requests_per_minute=2)
    seen = upstream(json=completion)
    client = gateway()
    statuses = [(client.post(URL, json=chat)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert len(seen) == 2
    assert len(ledger()) == 2


def test_limits_that_are_not_enforced_are_only_stored(
    provider, upstream, gateway, chat, completion, settings
):
    settings.RATE_LIMIT_ENFORCEMENT = False
    provider(requests_per_minute=1)
    upstream(json=completion)
    client = gateway()
    statuses = [(client.post(URL, json=chat)).status_code for _ in range(3)]
    assert statuses == [200, 200, 200]


def test_a_disabled_provider_serves_nothing(provider, gateway, chat):
    provider(enabled=False)
    assert (gateway().post(URL, json=chat)).status_code == 404


def test_models_are_listed_and_described(provider, gateway):
    provider(models=("gpt-4o-mini", "org/some-model"))
    client = gateway()
    listed = (client.get("/v1/models")).json()
    assert [m["id"] for m in listed["data"]] == ["gpt-4o-mini", "org/some-model"]
    one = (client.get("/v1/models/org/some-model")).json()
    assert (one["object"], one["owned_by"]) == ("model", "openai")
    assert (client.get("/v1/models/none")).status_code == 404


def test_a_request_id_of_the_client_is_kept_only_if_harmless(gateway):
    client = gateway()
    kept = client.get("/healthz", headers={"x-request-id": "abc-123"})
    assert kept.headers["x-request-id"] == "abc-123"
    other = client.get("/healthz", headers={"x-request-id": "a b;c"})
    assert other.headers["x-request-id"].startswith("req_")


def test_an_unknown_path_and_a_wrong_method_are_told_in_the_envelope(gateway):
    client = gateway()
    unknown = client.post("/v1/audio/speech", json={})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (
        404,
        "unknown_url",
    )
    wrong = client.get(URL)
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "POST"


def test_health_needs_no_key_and_ready_needs_a_registry(gateway):
    client = gateway(host="10.1.2.3")
    assert (client.get("/healthz")).status_code == 200
    assert (client.get("/v1/healthz")).status_code == 200
    assert (client.get("/readyz")).status_code == 200


BAD_USAGE = [
    "none",
    [1],
    3,
    {"prompt_tokens": "9", "prompt_tokens_details": "x"},
    {"prompt_tokens": 10**30, "completion_tokens_details": [1]},
]


@pytest.mark.parametrize("usage", BAD_USAGE)
def test_an_answer_with_usage_that_is_none_comes_through(
    provider, upstream, gateway, chat, completion, ledger, usage
):
    provider()
    upstream(json={**completion, "usage": usage})
    response = gateway().post(URL, json=chat)
    assert response.status_code == 200
    (row,) = ledger()
    assert row["outcome"] == "ok"
    assert "input_tokens" not in row


@pytest.mark.parametrize("usage", BAD_USAGE)
def test_a_stream_with_usage_that_is_none_is_recorded(
    provider, upstream, gateway, chat, ledger, usage
):
    provider()
    upstream(stream=[ROLE, TEXT, STOP, event(usage=usage), DONE])
    response = gateway().post(URL, json={**chat, "stream": True})
    assert frames(response.text)[-1] == "[DONE]"
    (row,) = ledger()
    assert row["outcome"] == "ok"
    assert "input_tokens" not in row

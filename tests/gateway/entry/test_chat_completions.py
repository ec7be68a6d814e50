"""The main job: one URL, any provider. What holds at every door stands beside."""

import json

import pytest

from tests.gateway.chunks import HELLO

URL = "/v1/chat/completions"


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
    upstream(stream=HELLO)
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


def test_models_are_listed_and_described(provider, gateway):
    provider(models=("gpt-4o-mini", "org/some-model"))
    client = gateway()
    listed = (client.get("/v1/models")).json()
    assert [m["id"] for m in listed["data"]] == ["gpt-4o-mini", "org/some-model"]
    one = (client.get("/v1/models/org/some-model")).json()
    assert (one["object"], one["owned_by"]) == ("model", "openai")
    assert (client.get("/v1/models/none")).status_code == 404


@pytest.mark.proves("1.9")
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


@pytest.mark.proves("10.4")
def test_health_needs_no_key_and_ready_needs_a_registry(gateway):
    client = gateway(host="10.1.2.3")
    assert (client.get("/healthz")).status_code == 200
    assert (client.get("/v1/healthz")).status_code == 200
    assert (client.get("/readyz")).status_code == 200

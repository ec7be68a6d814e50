"""The Messages API's paths: who may call, what comes back, how failures look."""

import json

import httpx
import pytest

from providers.models import WorkspaceKey
from tests.gateway.chunks import HELLO, ROLE, TEXT
from tests.grammar.messages import checked, message_in

URL = "/v1/messages"
ASKED = {
    "model": "gpt-4o-mini",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}


def test_an_answer_comes_back_as_a_message(
    provider, upstream, gateway, completion, ledger
):
    provider()
    seen = upstream(json=completion)
    answer = gateway().post(
        URL, json=ASKED, headers={"x-claude-code-session-id": "s-1"}
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "id": "msg_chatcmplup",
        "type": "message",
        "role": "assistant",
        "model": "gpt-4o-mini",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 9,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 2,
        },
    }
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    assert seen[0].url.path == "/v1/chat/completions"
    assert json.loads(seen[0].content) == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 100,
    }
    (row,) = ledger()
    assert (row["door"], row["session_id"], row["outcome"]) == ("messages", "s-1", "ok")
    assert (row["input_tokens"], row["output_tokens"]) == (9, 2)


def test_a_stream_comes_back_as_events(provider, upstream, gateway, ledger):
    provider()
    upstream(stream=HELLO)
    answer = gateway().post(URL, json={**ASKED, "stream": True})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    message = message_in(answer.content)
    assert message["content"] == [{"type": "text", "text": "hello"}]
    assert (message["stop_reason"], message["usage"]["input_tokens"]) == ("end_turn", 9)
    assert ledger()[0]["finish_reason"] == "stop"


def test_a_stream_cut_short_ends_in_an_error(provider, upstream, gateway, ledger):
    provider()
    upstream(stream=[ROLE, TEXT])
    answer = gateway().post(URL, json={**ASKED, "stream": True})
    assert checked(answer.content)[-1]["type"] == "error"
    assert ledger()[0]["outcome"] != "ok"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages",
        "/messages",
        "/v1/v1/messages",
        "/api/v1/messages",
        "/anthropic/v1/messages",
        "/v1/messages/v1/messages",
        "/v1/messages/",
        "/p/openai/v1/messages",
        "/v1/p/openai/v1/messages",
    ],
)
def test_every_alias_leads_to_the_same_place(
    provider, upstream, gateway, completion, path
):
    provider()
    upstream(json=completion)
    answer = gateway().post(f"{path}?beta=true", json=ASKED)
    assert answer.status_code == 200
    assert answer.json()["type"] == "message"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_another_method_is_told_the_right_one(gateway, method):
    client = gateway()
    answer = client.request(method, URL)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "access-control-allow-origin" not in answer.headers
    if method != "HEAD":
        assert answer.json()["type"] == "error"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/messages/batches", {}),
        ("/v1/files", {"anthropic-version": "2023-06-01"}),
        ("/v1/models/nobody", {"anthropic-version": "2023-06-01"}),
    ],
)
def test_what_is_not_offered_is_told_in_the_envelope(gateway, path, headers):
    answer = gateway().get(path, headers=headers)
    assert answer.status_code == 404
    told = answer.json()
    assert (told["type"], told["error"]["type"]) == ("error", "not_found_error")
    assert told["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize("path", ["/", "/api/hello"])
def test_a_client_that_looks_for_life_is_not_sent_to_the_log_in(gateway, path):
    answer = gateway().request("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_page_is_still_a_page(gateway):
    assert gateway().get("/").status_code == 302


@pytest.fixture
def workspace_keys(provider, upstream, completion):
    """Two keys of two callers, with a provider behind them."""
    provider()
    upstream(json=completion)
    return [WorkspaceKey.issue(name).plaintext for name in ("one", "two")]


FOREIGN = "sk-ant-api03-0123456789"


@pytest.mark.parametrize(
    "made",
    [
        lambda key: {"x-api-key": key},
        lambda key: {"authorization": f"Bearer {key}"},
        lambda key: {"x-api-key": key, "authorization": f"Bearer {key}"},
        lambda key: {"x-api-key": FOREIGN, "authorization": f"Bearer {key}"},
        lambda key: {"x-api-key": key, "authorization": "Bearer sk-ant-oat01-abc"},
        lambda key: {"x-runagents-api-key": key, "authorization": "Bearer oauth"},
    ],
)
def test_a_key_of_ours_counts_beside_one_of_the_vendor(gateway, workspace_keys, made):
    client = gateway(host="203.0.113.9")
    answer = client.post(URL, json=ASKED, headers=made(workspace_keys[0]))
    assert answer.status_code == 200


def test_an_unknown_key_of_ours_beside_a_valid_one_is_passed_over(
    gateway, workspace_keys
):
    from providers import keys

    client = gateway(host="203.0.113.9")
    headers = {
        "x-api-key": keys.generate(keys.WORKSPACE_PREFIX).plaintext,
        "authorization": f"Bearer {workspace_keys[0]}",
    }
    assert client.post(URL, json=ASKED, headers=headers).status_code == 200


def test_keys_of_two_callers_are_ambiguous(gateway, workspace_keys):
    one, two = workspace_keys
    headers = {"x-api-key": one, "authorization": f"Bearer {two}"}
    answer = gateway().post(URL, json=ASKED, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_foreign_key_alone_is_refused(gateway, workspace_keys):
    headers = {"authorization": "Bearer sk-ant-oat01-abc"}
    answer = gateway().post(URL, json=ASKED, headers=headers)
    assert answer.status_code == 401
    told = answer.json()
    assert told["error"]["type"] == "authentication_error"
    assert told["error"]["message"].startswith("invalid x-api-key")
    assert told["request_id"] == answer.headers["request-id"]


def test_a_foreign_key_beside_ours_stays_ambiguous_at_the_other_door(
    gateway, workspace_keys, chat
):
    headers = {"x-api-key": FOREIGN, "authorization": f"Bearer {workspace_keys[0]}"}
    answer = gateway().post("/v1/chat/completions", json=chat, headers=headers)
    assert answer.status_code == 400


def test_a_keyless_program_on_this_machine_is_served(gateway, workspace_keys):
    assert gateway().post(URL, json=ASKED).status_code == 200
    headers = {"origin": "http://127.0.0.1:8000"}
    assert gateway().post(URL, json=ASKED, headers=headers).status_code == 401


def test_the_mark_of_the_longer_context_is_no_part_of_a_name(gateway, workspace_keys):
    answer = gateway().post(URL, json={**ASKED, "model": "gpt-4o-mini[1m]"})
    assert answer.json()["model"] == "gpt-4o-mini[1m]"


def test_a_body_may_come_unlabelled_but_not_as_something_else(gateway, workspace_keys):
    body = json.dumps(ASKED).encode()
    assert gateway().post(URL, content=body).status_code == 200
    for headers in (
        {"content-type": "text/plain"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ):
        answer = gateway().post(URL, content=body, headers=headers)
        assert answer.status_code == 415
        assert answer.json()["error"]["type"] == "invalid_request_error"


VERSION = {"anthropic-version": "2023-06-01"}
ESTIMATED = {"x-gateway-estimated": "input_tokens"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages/count_tokens",
        "/messages/count_tokens",
        "/anthropic/v1/messages/count_tokens/",
        "/v1/messages/v1/messages/count_tokens",
        "/v1/p/openai/messages/count_tokens",
    ],
)
def test_tokens_are_estimated_and_nobody_is_asked(
    provider, upstream, gateway, ledger, path
):
    provider()
    seen = upstream(json={})
    asked = {name: ASKED[name] for name in ("model", "messages")}
    answer = gateway().post(f"{path}?beta=true", json=asked)
    assert answer.json() == {"input_tokens": 6}
    assert ESTIMATED.items() <= answer.headers.items()
    assert answer.headers["request-id"]
    assert (seen, ledger()) == ([], [])


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"model": "nobody"}, 404, "not_found_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        ({"model": None}, 400, "invalid_request_error"),
    ],
)
def test_what_cannot_be_counted_is_told(provider, gateway, changes, status, told):
    provider()
    answer = gateway().post(f"{URL}/count_tokens", json=ASKED | changes)
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == told


def test_models_are_listed_in_the_shape_of_who_asks(provider, gateway):
    provider(models=("b", "a", "c"))
    listed = gateway().get("/v1/models?limit=2", headers=VERSION)
    told = listed.json()
    assert [model["id"] for model in told["data"]] == ["a", "b"]
    assert (told["has_more"], told["first_id"], told["last_id"]) == (True, "a", "b")
    assert told["data"][0]["description"] == "through openai"
    assert listed.headers["request-id"]
    assert gateway().get("/v1/models").json()["object"] == "list"


@pytest.mark.parametrize(
    ("query", "found", "has_more"),
    [
        ("after_id=b", ["c"], False),
        ("after_id=c", [], False),
        ("after_id=nobody", [], False),
        ("before_id=c&limit=1", ["b"], True),
        ("before_id=a", [], False),
    ],
)
def test_models_are_paged(provider, gateway, query, found, has_more):
    provider(models=("b", "a", "c"))
    told = gateway().get(f"/v1/models?{query}", headers=VERSION).json()
    assert [model["id"] for model in told["data"]] == found
    assert told["has_more"] is has_more


def test_a_limit_that_is_none_is_refused(provider, gateway):
    answer = gateway().get("/v1/models?limit=0", headers=VERSION)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("limit: ")


def test_models_of_one_provider_are_listed_below_its_name(provider, gateway):
    provider("one", models=("a",))
    provider("two", models=("b",))
    client = gateway()
    for path in ("/p/two/v1/models", "/v1/p/two/models"):
        told = client.get(path, headers=VERSION).json()
        assert [model["id"] for model in told["data"]] == ["b"]
        assert [each["id"] for each in client.get(path).json()["data"]] == ["b"]
    assert client.get("/v1/p/two/models/b", headers=VERSION).json()["id"] == "b"
    refused = client.get("/v1/p/two/models/a", headers=VERSION)
    assert refused.status_code == 404
    assert refused.json()["error"]["type"] == "not_found_error"


def test_models_of_a_provider_that_is_not_there_are_not_found(provider, gateway):
    """No empty list: a name that is mistyped is told, as it is to who asks a model."""
    provider("one", models=("a",))
    client = gateway()
    for headers in ({}, VERSION):
        refused = client.get("/v1/p/none/models", headers=headers)
        assert refused.status_code == 404
        assert '"none"' in refused.json()["error"]["message"]


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "sig"}
TOOL = {"name": "Read", "input_schema": {"type": "object", "properties": {}}}
TURNS = [
    {"role": "user", "content": "hi"},
    {
        "role": "assistant",
        "content": [
            THOUGHT,
            {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "text"}
        ],
    },
]


def test_an_overloaded_claude_hands_over_to_another_format(
    provider, upstream, gateway, completion, ledger
):
    """The next target starts from the client's own words."""
    provider("claude", provider_type="anthropic", models=("m",), priority=1)
    provider("other", models=("m",), priority=2)

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/messages"):
            busy = {"type": "overloaded_error", "message": "Overloaded"}
            return httpx.Response(529, json={"type": "error", "error": busy})
        return httpx.Response(200, json=completion)

    seen = upstream(respond)
    asked = {**ASKED, "model": "m", "messages": TURNS, "tools": [TOOL]}
    answer = gateway().post(URL, json=asked)
    assert answer.json()["content"] == [{"type": "text", "text": "hello"}]
    assert answer.headers["x-gateway-provider"] == "other"
    first, second = [json.loads(request.content) for request in seen]
    assert first["messages"] == TURNS
    assert [message["role"] for message in second["messages"]] == [
        "user",
        "assistant",
        "tool",
    ]
    assert "sig" not in json.dumps(second)
    assert answer.headers["x-gateway-downgraded"] == "thinking"
    assert ledger()[0]["outcome"] == "ok"


def test_what_another_model_thought_and_called_is_no_fault_at_claude(
    provider, upstream, gateway
):
    provider("claude", provider_type="anthropic", models=("m",))
    said = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    seen = upstream(json=said)
    unsigned = [{**THOUGHT, "signature": ""}, TURNS[1]["content"][1]]
    turns = [TURNS[0], {**TURNS[1], "content": unsigned}, TURNS[2]]
    asked = {**ASKED, "model": "m", "messages": turns, "tools": [TOOL]}
    answer = gateway().post(URL, json=asked)
    assert answer.status_code == 200
    sent = json.loads(seen[0].content)["messages"][1]["content"]
    assert [block["type"] for block in sent] == ["tool_use"]


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_thinking_is_lost_only_between_formats(
    provider, upstream, gateway, completion, kind
):
    first, second = ("openai", "openai") if kind == "openai" else ("anthropic",) * 2
    provider("first", provider_type=first, models=("m",), priority=1)
    provider("second", provider_type=second, models=("m",), priority=2)
    message = {"type": "message", "role": "assistant", "content": [], "usage": {}}
    answers = iter(
        [
            httpx.Response(429, json={"error": {"message": "busy"}}),
            httpx.Response(200, json=completion if kind == "openai" else message),
        ]
    )
    upstream(lambda request: next(answers))
    asked = {**ASKED, "model": "m", "messages": TURNS, "tools": [TOOL]}
    answer = gateway().post(URL, json=asked)
    assert answer.status_code == 200
    assert "x-gateway-downgraded" not in answer.headers


@pytest.mark.parametrize(
    ("path", "is_told"),
    [("/v1/messages", True), ("/v1/responses", True), ("/v1/chat/completions", False)],
)
def test_an_estimate_of_usage_is_told(
    provider, upstream, gateway, completion, path, is_told
):
    provider(models=("m",))
    del completion["usage"]
    upstream(json=completion)
    body = {"model": "m", "max_tokens": 9, "messages": ASKED["messages"]}
    if path == "/v1/responses":
        body = {"model": "m", "input": "hi"}
    answer = gateway().post(path, json=body)
    assert answer.headers.get("x-gateway-estimated") == ("usage" if is_told else None)


def test_counts_of_the_upstream_are_no_estimate(
    provider, upstream, gateway, completion
):
    provider(models=("m",))
    upstream(json=completion)
    answer = gateway().post(URL, json={**ASKED, "model": "m"})
    assert "x-gateway-estimated" not in answer.headers

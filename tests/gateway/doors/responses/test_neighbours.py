"""The paths below that of responses: a shorter conversation, a count of tokens."""

import json
from base64 import b64decode

import httpx
import pytest

from gateway.doors.responses import reasoning
from tests.gateway.doors.responses.conftest import URL

COMPACT, COUNT = f"{URL}/compact", f"{URL}/input_tokens"
HOME = {"endpoint": "https://api.openai.com", "private_network": False}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "done"}
USER = {"role": "user", "content": "Do it"}
COMPACTED = {"id": "resp_6", "object": "response.compaction", "output": []}
TOKENS = {"object": "response.input_tokens", "input_tokens": 11}


def test_a_conversation_becomes_its_questions_and_a_summary(
    provider, upstream, gateway, completion, ledger
):
    provider()
    seen = upstream(json=completion)
    body = {
        "model": "gpt-4o-mini",
        "instructions": "Be brief",
        "input": [USER, CALL, OUTPUT],
        "tools": [{"type": "function", "name": "f", "parameters": {}}],
    }
    answer = gateway().post(COMPACT, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["object"] == "response.compaction"
    sent = json.loads(seen[0].content)
    assert [each["role"] for each in sent["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert "tools" not in sent
    assert sent["max_completion_tokens"] == 8192
    question, summary = answer.json()["output"]
    assert question["content"] == [{"type": "input_text", "text": "Do it"}]
    assert (summary["type"], summary["id"][:5]) == ("compaction", "cmp_g")
    assert answer.json()["usage"]["total_tokens"] == 11
    (row,) = ledger()
    assert (row["door"], row["input_tokens"]) == ("compact", 9)
    gateway().post(URL, json={**body, "input": [question, summary]})
    last = json.loads(seen[1].content)["messages"][-1]
    assert last["content"] == "Summary of the conversation so far:\nhello"


@pytest.mark.parametrize(("path", "told"), [(COMPACT, COMPACTED), (COUNT, TOKENS)])
def test_who_has_the_path_is_asked_there(
    provider, upstream, gateway, asked, path, told
):
    provider(**HOME)
    seen = upstream(json=told)
    body = {**asked, "previous_response_id": "resp_1", "later": 1}
    assert gateway().post(path, json=body).json() == told
    assert seen[0].url.path == path
    assert json.loads(seen[0].content) == body


def test_our_summary_is_told_to_others_as_the_developers(
    provider, upstream, gateway, asked
):
    provider(**HOME)
    seen = upstream(json={"id": "r", "object": "response", "output": []})
    blob = reasoning.blob_of_summary("All is well.")
    foreign = {"type": "compaction", "encrypted_content": "gAAA"}
    items = [{"type": "compaction", "id": "cmp_1", "encrypted_content": blob}, foreign]
    gateway().post(URL, json={**asked, "input": items})
    text = "Summary of the conversation so far:\nAll is well."
    assert json.loads(seen[0].content)["input"] == [
        {"role": "developer", "content": text},
        foreign,
    ]


def test_a_conversation_kept_elsewhere_cannot_be_compacted(
    provider, upstream, gateway, asked
):
    provider()
    seen = upstream(json={})
    for body, param in (
        ({**asked, "previous_response_id": "resp_1"}, "previous_response_id"),
        ({"input": "hi"}, "model"),
    ):
        told = gateway().post(COMPACT, json=body)
        assert (told.status_code, told.json()["error"]["param"]) == (400, param)
    assert not seen


def test_an_answer_without_a_summary_is_none(
    provider, upstream, gateway, asked, completion
):
    completion["choices"][0]["message"]["content"] = None
    provider()
    upstream(json=completion)
    assert gateway().post(COMPACT, json=asked).status_code == 502


def test_who_cannot_count_says_so(provider, upstream, gateway, asked):
    provider()
    seen = upstream(json={})
    told = gateway().post(COUNT, json=asked)
    assert told.status_code == 404
    assert told.json()["error"]["code"] == "unknown_url"
    assert told.json()["error"]["message"] == (
        "This model's provider cannot count tokens beforehand."
    )
    assert not seen


def test_claude_counts_a_translated_request(provider, upstream, gateway, asked, ledger):
    anthropic = {"provider_type": "anthropic", "header_name": "x-api-key"}
    provider(models=("claude-sonnet-5",), **anthropic, value_prefix="")
    seen = upstream(json={"input_tokens": 11})
    body = {**asked, "model": "claude-sonnet-5", "max_output_tokens": 5}
    assert gateway().post(COUNT, json=body).json() == TOKENS
    assert seen[0].url.path == "/v1/messages/count_tokens"
    sent = json.loads(seen[0].content)
    assert sent["model"] == "claude-sonnet-5"
    assert set(sent) <= {"model", "messages", "system", "thinking"}
    assert not ledger()


CLAUDE = "us.anthropic.claude-opus-4-6-v1"
ON_BEDROCK = {
    "provider_type": "bedrock",
    "endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com",
    "region": "us-east-1",
    "private_network": False,
}


@pytest.mark.parametrize("api", ["invoke", "converse"])
def test_bedrock_counts_for_claude(provider, upstream, gateway, asked, ledger, api):
    provider(models=(CLAUDE,), options={"bedrock_api": api}, **ON_BEDROCK)
    seen = upstream(json={"inputTokens": 11})
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object"}}]
    body = {**asked, "model": CLAUDE, "instructions": "Be brief.", "tools": tools}
    assert gateway().post(COUNT, json=body).json() == TOKENS
    assert seen[0].url.path == f"/model/{CLAUDE[3:]}/count-tokens"
    ((kind, counted),) = json.loads(seen[0].content)["input"].items()
    if api == "invoke":
        assert kind == "invokeModel"
        counted = json.loads(b64decode(counted["body"]))
        assert counted["system"]
        assert counted["tools"][0]["name"] == "f"
    else:
        assert kind == "converse"
        assert counted["toolConfig"]["tools"][0]["toolSpec"]["name"] == "f"
    assert "hi" in json.dumps(counted["messages"])
    assert not ledger()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("us.amazon.nova-pro-v1:0", None),
        (CLAUDE, "The provided model doesn't support counting tokens."),
    ],
)
def test_who_cannot_count_on_bedrock_says_so(
    provider, upstream, gateway, asked, model, said
):
    provider(models=(model,), **ON_BEDROCK)
    seen = upstream(status=400, json={"message": said})
    told = gateway().post(COUNT, json={**asked, "model": model})
    assert (told.status_code, told.json()["error"]["code"]) == (404, "unknown_url")
    assert len(seen) == (said is not None)


def test_who_lacks_a_neighbour_may_have_the_rest(
    provider, upstream, gateway, asked, completion
):
    provider(options={"responses_api": "on"})
    response = {"id": "r", "object": "response", "status": "completed", "output": []}

    def answer(request):
        if request.url.path.endswith("/compact"):
            return httpx.Response(404, json={"detail": "Not Found"})
        is_native = request.url.path.endswith("/responses")
        return httpx.Response(200, json=response if is_native else completion)

    upstream(answer)
    client = gateway()
    compacted = client.post(COMPACT, json=asked).json()
    assert compacted["output"][-1]["type"] == "compaction"
    assert client.post(URL, json=asked).json() == response

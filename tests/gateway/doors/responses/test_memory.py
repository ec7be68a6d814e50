"""Items that a client only names: kept of answers, sealed, and put in their place."""

import json
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.utils import timezone

from gateway import memory
from gateway.entry.views import responses as views
from gateway.memory import rows, sealing
from gateway.models import KeptItems
from providers.models import WorkspaceKey
from tests.gateway.doors.responses.conftest import URL, call, chunks

pytestmark = pytest.mark.django_db(transaction=True)

TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
USER = {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]}
OWNER = "local:local"
TOKEN = "a" * 22
GONE = OperationalError("gone")


@pytest.fixture(autouse=True)
def _memory_is_on(settings, monkeypatch):
    settings.RESPONSES_MEMORY_DAYS = 30
    # A busy machine makes a database slow, not absent.
    monkeypatch.setattr(views, "PATIENCE_SECONDS", 60)


@pytest.fixture
def called(completion):
    """An answer that thinks, speaks and calls a tool."""
    message = completion["choices"][0]["message"]
    message |= {"content": "I look.", "reasoning_content": "hm"}
    function = {"name": "weather", "arguments": '{"city":"Bonn"}'}
    message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    completion["choices"][0]["finish_reason"] = "tool_calls"
    return completion


def references(items):
    """What the AI SDK sends of an answer in the next step of a loop."""
    return [
        each
        if each["type"] == "function_call"
        else {"type": "item_reference", "id": each["id"]}
        for each in items
    ]


OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
REPLAYED = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": "I look.",
        "reasoning_content": "hm",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city":"Bonn"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
]


def replayed(request):
    """What an upstream was sent of the conversation, whatever its texts' form."""
    messages = json.loads(request.content)["messages"]
    for message in messages:
        if isinstance(message.get("content"), list):
            message["content"] = "".join(part["text"] for part in message["content"])
    return messages


def test_the_second_step_of_a_loop_may_name_the_first(
    provider, upstream, gateway, asked, called
):
    provider()
    seen = upstream(json=called)
    client = gateway()
    body = {**asked, "input": [USER], "tools": [TOOL]}
    first = client.post(URL, json=body).json()
    assert first["store"] is True
    body["input"] = [USER, *references(first["output"]), OUTPUT]
    second = client.post(URL, json=body)
    assert second.status_code == 200, second.text
    assert replayed(seen[1]) == REPLAYED


def completed(answer):
    """The response in the last event of a stream."""
    *_, last, done = [
        line[6:] for line in answer.text.splitlines() if line.startswith("data: ")
    ]
    assert done == "[DONE]"
    return json.loads(last)["response"]


def test_the_same_in_a_stream(provider, upstream, gateway, asked):
    provider()
    seen = upstream(
        stream=chunks(
            {"reasoning_content": "hm"},
            {"content": "I look."},
            call(0, "weather", '{"city":"Bonn"}'),
            finish="tool_calls",
        )
    )
    client = gateway()
    body = {**asked, "input": [USER], "tools": [TOOL], "stream": True}
    first = completed(client.post(URL, json=body))
    assert first["store"] is True
    output = {**OUTPUT, "call_id": first["output"][-1]["call_id"]}
    # Also a call may be named, and a name may stand alone.
    named = [{"id": item["id"]} for item in first["output"]]
    second = client.post(URL, json={**body, "input": [USER, *named, output]})
    assert completed(second)["status"] == "completed"
    sent = replayed(seen[1])
    sent[1]["tool_calls"][0]["id"] = sent[2]["tool_call_id"] = "call_1"
    assert sent == REPLAYED


def test_the_next_worker_knows_at_once(provider, upstream, gateway, asked, completion):
    """What is kept stands in the database before the last event is told."""
    provider()
    upstream(stream=chunks({"content": "hello"}))
    told = []

    def keep(*arguments):
        kept = rows.keep(*arguments)
        told.append(KeptItems.objects.count())
        return kept

    with patch.object(memory, "keep", keep):
        first = completed(gateway().post(URL, json={**asked, "stream": True}))
    assert told == [1]
    seen = upstream(json=completion)
    named = [{"type": "item_reference", "id": first["output"][0]["id"]}]
    other_worker = gateway()
    assert other_worker.post(URL, json={**asked, "input": named}).status_code == 200
    assert replayed(seen[0]) == [{"role": "assistant", "content": "hello"}]


def test_another_model_is_sent_the_items_too(
    provider, upstream, gateway, asked, completion
):
    provider()
    upstream(json=completion)
    first = gateway().post(URL, json=asked).json()
    provider(
        "home",
        models=("gpt-5",),
        endpoint="https://api.openai.com",
        private_network=False,
    )
    native = {"id": "resp_6", "object": "response", "status": "completed", "output": []}
    seen = upstream(json=native)
    named = [{"type": "item_reference", "id": first["output"][0]["id"]}]
    body = {"model": "gpt-5", "input": named, "later": 1.5}
    assert gateway().post(URL, json=body).json() == native
    (item,) = json.loads(seen[0].content)["input"]
    assert item["content"][0]["text"] == "hello"
    assert "id" not in item
    assert KeptItems.objects.count() == 1


def test_nothing_is_kept_where_nobody_wants_it(
    provider, upstream, gateway, asked, completion, settings
):
    provider()
    upstream(json=completion)
    told = gateway().post(URL, json={**asked, "store": False}).json()
    assert told["store"] is False
    settings.RESPONSES_MEMORY_DAYS = 0
    assert gateway().post(URL, json=asked).json()["store"] is False
    assert not KeptItems.objects.exists()


def test_an_answer_survives_a_database_that_is_away(
    provider, upstream, gateway, asked, completion
):
    provider()
    upstream(json=completion)
    with patch.object(
        KeptItems.objects, "create", side_effect=OperationalError("gone")
    ):
        told = gateway().post(URL, json=asked)
    assert (told.status_code, told.json()["store"]) == (200, False)
    upstream(stream=chunks({"content": "hello"}))
    with patch.object(
        KeptItems.objects, "create", side_effect=OperationalError("gone")
    ):
        streamed = gateway().post(URL, json={**asked, "stream": True})
    assert completed(streamed)["store"] is False


@pytest.mark.parametrize("is_on", [True, False])
def test_a_name_that_nobody_knows_is_told_of(
    provider, upstream, gateway, asked, settings, is_on
):
    settings.RESPONSES_MEMORY_DAYS = 30 if is_on else 0
    provider()
    seen = upstream(json={})
    for id in (f"msg_g1{TOKEN}0", "msg_68a"):
        body = {**asked, "input": [USER, {"type": "item_reference", "id": id}]}
        told = gateway().post(URL, json=body)
        assert told.status_code == 404
        assert told.json()["error"]["param"] == "input"
        assert told.json()["error"]["message"] == (
            f"Item with id '{id}' not found. Send the item itself instead of a "
            "reference; in the AI SDK set providerOptions.openai.store to false."
        )
    assert not seen


def test_reasoning_that_is_gone_is_done_without(
    provider, upstream, gateway, asked, completion
):
    provider()
    upstream(json=completion)
    named = {"type": "item_reference", "id": f"rs_g1{TOKEN}0"}
    told = gateway().post(URL, json={**asked, "input": [USER, named]})
    assert told.status_code == 200
    assert told.headers["x-gateway-downgraded"] == "reasoning"


def test_another_caller_does_not_find_it(
    provider, upstream, gateway, asked, completion
):
    provider()
    upstream(json=completion)
    first = gateway().post(URL, json=asked).json()
    key = WorkspaceKey.issue("other").plaintext
    named = [{"type": "item_reference", "id": first["output"][0]["id"]}]
    client = gateway(headers={"authorization": f"Bearer {key}"})
    assert client.post(URL, json={**asked, "input": named}).status_code == 404


def test_a_row_is_of_no_use_without_an_id():
    rows.keep(OWNER, TOKEN, b'[{"id":"msg_g1x","text":"secret words"}]')
    (row,) = KeptItems.objects.all()
    stored = bytes(row.sealed)
    assert b"secret" not in stored
    assert TOKEN not in row.name
    assert rows.find(OWNER, [TOKEN]) == [b'[{"id":"msg_g1x","text":"secret words"}]']
    assert rows.find(OWNER, ["b" * 22]) == []
    assert sealing.unseal(TOKEN, "agent:other", stored) is None
    assert sealing.unseal(TOKEN, OWNER, stored[:-1]) is None


def test_several_items_of_a_response_are_one_read(django_assert_num_queries):
    rows.keep(OWNER, TOKEN, b"[]")
    rows.keep(OWNER, "b" * 22, b"[]")
    with django_assert_num_queries(1):
        assert len(rows.find(OWNER, {TOKEN, "b" * 22})) == 2


def test_what_is_too_large_is_not_kept():
    assert not rows.keep(OWNER, TOKEN, b"x" * (sealing.LARGEST + 1))
    assert not KeptItems.objects.exists()


def test_old_ones_go_and_the_oldest_of_too_many():
    now = timezone.now()
    for days in (1, 2, 3, 40):
        KeptItems.objects.create(
            name=f"{days}",
            owner=OWNER,
            stored_at=now - timedelta(days=days),
            size=100,
            sealed=b"",
        )
    memory.forget(30, 1000)
    assert set(KeptItems.objects.values_list("name", flat=True)) == {"1", "2", "3"}
    memory.forget(30, 250)
    assert set(KeptItems.objects.values_list("name", flat=True)) == {"1", "2"}
    memory.forget(0, 1000)
    assert not KeptItems.objects.exists()

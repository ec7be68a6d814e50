"""Bodies in the shape of responses at the path of chat completions, as Cursor sends."""

import json

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.gateway.doors.responses.conftest import call, chunks

URL = "/v1/chat/completions"

PATCH = {"type": "custom", "name": "apply_patch", "description": "Edits files."}
READ = {"type": "function", "name": "read", "parameters": {"type": "object"}}


def answered(completion, *calls):
    message = {"role": "assistant", "content": None, "tool_calls": list(calls)}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {**completion, "choices": [choice]}


def called(id, name, arguments):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": id, "type": "function", "function": function}


def frames(text):
    *events, done = text.strip().split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events]


def test_a_response_body_is_answered_as_a_chat_completion(
    provider, upstream, gateway, completion
):
    provider()
    seen = upstream(json=completion)
    item = {"role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    body = {
        "model": "gpt-4o-mini",
        "input": [{"role": "system", "content": "s"}, item],
        "max_output_tokens": 5,
        "reasoning": {"effort": "low", "summary": "auto"},
        "tools": [READ],
        "store": False,
    }
    answer = ChatCompletion.model_validate(gateway().post(URL, json=body).json())
    assert answer.choices[0].message.content == "hello"
    assert json.loads(seen[0].content) == {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "hi"},
        ],
        "max_completion_tokens": 5,
        "reasoning_effort": "low",
        "tools": [
            {
                "type": "function",
                "function": {"name": "read", "parameters": {"type": "object"}},
            }
        ],
    }


def test_its_stream_is_one_of_chunks(provider, upstream, gateway):
    provider()
    upstream(stream=chunks({"content": "hel"}, {"content": "lo"}))
    body = {"model": "gpt-4o-mini", "input": "hi", "stream": True}
    told = frames(gateway().post(URL, json=body).text)
    texts = [c["choices"][0]["delta"].get("content") for c in told if c["choices"]]
    assert [text for text in texts if text] == ["hel", "lo"]
    for chunk in told:
        ChatCompletionChunk.model_validate(chunk)
    assert not any("usage" in chunk for chunk in told)


def test_usage_is_told_to_who_asks(provider, upstream, gateway):
    provider()
    upstream(stream=chunks({"content": "hel"}))
    body = {"model": "gpt-4o-mini", "input": "hi", "stream": True}
    body["stream_options"] = {"include_usage": True}
    told = frames(gateway().post(URL, json=body).text)
    assert told[-1]["usage"]["total_tokens"] == 11


@pytest.mark.parametrize("shape", ["input", "messages"])
def test_calls_of_custom_tools_come_back_as_chats_own(
    provider, upstream, gateway, completion, shape
):
    provider()
    calls = [called("1", "apply_patch", {"input": "a\n"}), called("2", "read", {})]
    seen = upstream(json=answered(completion, *calls))
    asked = [{"role": "user", "content": "hi"}]
    body = {"model": "gpt-4o-mini", shape: asked, "tools": [PATCH, READ]}
    body["tool_choice"] = {"type": "custom", "name": "apply_patch"}
    answer = gateway().post(URL, json=body).json()
    custom, function = answer["choices"][0]["message"]["tool_calls"]
    assert custom == {
        "id": "1",
        "type": "custom",
        "custom": {"name": "apply_patch", "input": "a\n"},
    }
    assert function["function"]["name"] == "read"
    sent = json.loads(seen[0].content)
    assert [tool["function"]["name"] for tool in sent["tools"]] == [
        "apply_patch",
        "read",
    ]
    assert sent["tool_choice"]["function"] == {"name": "apply_patch"}


def test_their_stream_tells_the_text(provider, upstream, gateway):
    provider()
    pieces = [
        call(0, "apply_patch", '{"inp'),
        call(0, None, 'ut": "a\\'),
        call(0, None, 'nb"}'),
        call(1, "read", "{}"),
        call(2, "apply_patch", '{"x": "odd"}'),
    ]
    upstream(stream=chunks(*pieces, finish="tool_calls"))
    asked = [{"role": "user", "content": "hi"}]
    body = {"model": "gpt-4o-mini", "messages": asked, "tools": [PATCH, READ]}
    told = frames(gateway().post(URL, json={**body, "stream": True}).text)
    deltas = [
        delta
        for chunk in told
        for choice in chunk["choices"]
        for delta in choice["delta"].get("tool_calls", ())
    ]
    said = {}
    for delta in deltas:
        text = delta.get("custom", {}).get("input", "")
        said[delta["index"]] = said.get(delta["index"], "") + text
    assert said == {0: "a\nb", 1: "", 2: "odd"}
    heads = [delta for delta in deltas if "id" in delta]
    assert [head["type"] for head in heads] == ["custom", "function", "custom"]
    assert told[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_their_history_goes_to_the_upstream_as_functions(
    provider, upstream, gateway, completion
):
    provider()
    seen = upstream(json=completion)
    custom = {"name": "apply_patch", "input": "a"}
    said = {"id": "1", "type": "custom", "custom": custom}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [said]},
        {"role": "tool", "tool_call_id": "1", "content": "ok"},
    ]
    body = {"model": "gpt-4o-mini", "messages": messages, "tools": [PATCH]}
    assert gateway().post(URL, json=body).status_code == 200
    sent = json.loads(seen[0].content)["messages"][1]["tool_calls"]
    assert sent == [called("1", "apply_patch", {"input": "a"})] or (
        json.loads(sent[0]["function"]["arguments"]) == {"input": "a"}
    )


def test_messages_win_over_input(provider, upstream, gateway, completion):
    provider()
    seen = upstream(json=completion)
    asked = [{"role": "user", "content": "hi"}]
    body = {"model": "gpt-4o-mini", "messages": asked, "input": "no"}
    assert gateway().post(URL, json=body).status_code == 200
    assert json.loads(seen[0].content)["messages"] == asked


def test_what_such_a_body_cannot_say_is_refused(provider, gateway):
    provider()
    body = {"model": "gpt-4o-mini", "input": [{"role": "tool", "content": "x"}]}
    error = gateway().post(URL, json=body).json()["error"]
    assert error["param"] == "input[0].role"


@pytest.mark.parametrize("given", [1, True, {"role": "user"}], ids=str)
def test_an_input_that_is_no_conversation_is_refused_as_a_chat_without_messages(
    provider, gateway, given
):
    provider()
    body = {"model": "gpt-4o-mini", "messages": None, "input": given}
    answer = gateway().post(URL, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "messages"

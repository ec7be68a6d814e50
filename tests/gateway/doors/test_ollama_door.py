"""Ollama's API, in: its own SDK asks, whoever answers."""

import asyncio
import base64
import json

import httpx
import ollama
import pytest

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def frames_of(*texts, usage=None):
    """OpenAI's stream that says `texts`."""
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = [({"content": text}, None) for text in texts] + [({}, "stop")]
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in deltas
    ]
    if usage:
        counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        chunks.append({**head, "choices": [], "usage": counts})
    events = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return [*events, b"data: [DONE]\n\n"]


def asked_of(request):
    return json.loads(request.content)


def sdk(ask):
    """Return what `ask` gets of Ollama's own client, which calls this gateway."""

    async def run():
        from runagents.asgi import application

        client = ollama.AsyncClient("http://127.0.0.1:8000")
        transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 5000))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000"
        ) as client._client:
            return await ask(client)

    return asyncio.run(run())


def test_a_conversation_reaches_any_provider(provider, gateway, upstream, completion):
    provider()
    seen = upstream(json=completion)
    gateway()
    answer = sdk(
        lambda client: client.chat(
            "gpt-4o-mini",
            [{"role": "user", "content": "what is it?", "images": [PNG]}],
            options={"num_predict": 5, "temperature": 0.5, "mirostat": 1},
            format={"type": "object"},
            think="low",
        )
    )
    assert answer.message.content == "hello"
    assert (answer.done, answer.done_reason) == (True, "stop")
    assert (answer.prompt_eval_count, answer.eval_count) == (9, 2)
    assert asked_of(seen[0]) == {
        "model": "gpt-4o-mini",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is it?"},
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{PNG}"},
                    },
                ],
            }
        ],
        "stream": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}},
        },
        "reasoning_effort": "low",
        "max_tokens": 5,
        "temperature": 0.5,
    }


OWN = {"num_ctx": 4096, "top_k": 4, "min_p": 0.1, "repeat_penalty": 1.1}
OF_ITS_SERVER = "options.num_ctx, keep_alive"


@pytest.mark.parametrize(
    ("endpoint", "sent", "dropped"),
    [
        (
            "https://api.openai.com",
            {"max_completion_tokens": 5},
            "options.num_ctx, options.top_k, options.min_p, options.repeat_penalty, "
            "keep_alive",
        ),
        (
            "http://127.0.0.1:9",
            {
                "max_tokens": 5,
                "top_k": 4,
                "min_p": 0.1,
                "repeat_penalty": 1.1,
                "reasoning_effort": "none",
            },
            OF_ITS_SERVER,
        ),
    ],
)
def test_openai_is_not_told_what_only_ollama_knows(
    endpoint, sent, dropped, provider, gateway, upstream, completion
):
    """It answers a field that it does not know with a 400."""
    provider(endpoint=endpoint)
    seen = upstream(json=completion)
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": False,
        "think": False,
        "keep_alive": "5m",
        "options": {"num_predict": 5, **OWN},
    }
    answer = gateway().post("/api/chat", json=body)
    assert answer.headers["x-gateway-dropped-params"] == dropped
    asked = asked_of(seen[0])
    del asked["model"], asked["messages"], asked["stream"]
    assert asked == sent


def test_what_a_server_does_not_know_is_left_out_and_remembered(
    provider, gateway, upstream, completion
):
    provider()
    unknown = "Unrecognized request arguments supplied: min_p, top_k"

    def answer(request):
        if asked_of(request).keys() & {"min_p", "top_k"}:
            return httpx.Response(400, json={"error": {"message": unknown}})
        return httpx.Response(200, json=completion)

    seen = upstream(answer)
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": False,
        "options": {"top_k": 4, "min_p": 0.1, "repeat_penalty": 1.1},
    }
    client = gateway()
    answers = [client.post("/api/chat", json=body) for _ in range(2)]
    dropped = {each.headers["x-gateway-dropped-params"] for each in answers}
    assert dropped == {"options.top_k, options.min_p"}
    assert [len(asked_of(each)) for each in seen] == [6, 5, 4, 4]


def test_a_stream_is_lines_and_tells_its_door(provider, gateway, upstream, ledger):
    provider()
    upstream(stream=frames_of("hel", "lo", usage=(9, 2)))
    gateway()

    async def ask(client):
        stream = await client.chat(
            "gpt-4o-mini", [{"role": "user", "content": "hi"}], stream=True
        )
        return [each async for each in stream]

    *pieces, last = sdk(ask)
    assert [each.message.content for each in pieces] == ["hel", "lo"]
    assert (last.done, last.prompt_eval_count, last.eval_count) == (True, 9, 2)
    assert (ledger()[0]["door"], ledger()[0]["stream"]) == ("ollama", True)


def test_a_stream_is_what_a_client_gets_that_says_nothing(provider, gateway, upstream):
    provider()
    upstream(stream=frames_of("hel", "lo"))
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
    answer = gateway().post("/api/chat", json=body)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["done"] for line in answer.text.splitlines()] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_calls_are_objects_and_their_results_find_them(
    stream, provider, gateway, upstream
):
    provider()
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city":"Bern"}'},
    }
    if stream:
        head = {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
        }
        first = {**call, "index": 0, "function": {"name": "weather", "arguments": ""}}
        deltas = [
            {"tool_calls": [first]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '"Bern"}'}}]},
        ]
        chunks = [
            {**head, "choices": [{"index": 0, "delta": d, "finish_reason": None}]}
            for d in deltas
        ]
        end = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
        chunks.append({**head, "choices": [end]})
        events = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
        upstream(stream=[*events, b"data: [DONE]\n\n"])
    else:
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        upstream(json={"id": "c", "created": 1, "model": "m", "choices": [choice]})
    gateway()
    turns = [{"role": "user", "content": "weather?"}]

    async def ask(client):
        answer = await client.chat("gpt-4o-mini", turns, tools=[TOOL], stream=stream)
        if not stream:
            return [answer]
        return [each async for each in answer]

    answers = sdk(ask)
    said = [each.message for each in answers if each.message.tool_calls]
    assert [
        (made.function.name, made.function.arguments)
        for message in said
        for made in message.tool_calls
    ] == [("weather", {"city": "Bern"})]
    turns += [*said, {"role": "tool", "tool_name": "weather", "content": "mild"}]
    seen = upstream(json={"choices": [{"message": {"content": "ok"}}]})
    sdk(lambda client: client.chat("gpt-4o-mini", turns, tools=[TOOL]))
    _, called, result = asked_of(seen[0])["messages"]
    (made,) = called["tool_calls"]
    assert json.loads(made["function"]["arguments"]) == {"city": "Bern"}
    assert result == {"role": "tool", "content": "mild", "tool_call_id": made["id"]}


def test_results_of_two_calls_are_told_apart_by_name(provider, gateway, upstream):
    provider()
    seen = upstream(json={"choices": [{"message": {"content": "ok"}}]})
    calls = [{"function": {"name": name, "arguments": {}}} for name in ("a", "b", "a")]
    messages = [
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "tool_name": "b", "content": "1"},
        {"role": "tool", "content": "2"},
        {"role": "tool", "tool_name": "a", "content": "3"},
    ]
    body = {"model": "gpt-4o-mini", "messages": messages, "stream": False}
    assert gateway().post("/api/chat", json=body).status_code == 200
    sent = asked_of(seen[0])["messages"]
    ids = [call["id"] for call in sent[0]["tool_calls"]]
    assert [each["tool_call_id"] for each in sent[1:]] == [ids[1], ids[0], ids[2]]


def test_models_are_listed_and_shown_as_its_clients_expect(provider, gateway, upstream):
    provider(models=("gpt-4o-mini", "text-embedding-3-small"))
    gateway()
    listed = sdk(lambda client: client.list())
    assert [each.model for each in listed.models] == [
        "gpt-4o-mini",
        "text-embedding-3-small",
    ]
    shown = sdk(lambda client: client.show("gpt-4o-mini"))
    assert "completion" in shown.capabilities
    shown = sdk(lambda client: client.show("text-embedding-3-small"))
    assert shown.capabilities == ["embedding"]
    assert gateway().get("/api/version").json()["version"]


def test_texts_are_embedded_by_anybody(provider, gateway, upstream):
    provider(models=("bge-m3",))
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}]
    upstream(json={"data": data, "usage": {"prompt_tokens": 2}})
    gateway()
    answer = sdk(lambda client: client.embed("bge-m3", "hi"))
    assert answer.embeddings == [[0.5, 1.0]]
    assert answer.prompt_eval_count == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": None}, "model is required"),
        ({"model": "nobody"}, "no provider found"),
        ({"messages": {}}, "messages must be"),
        ({"messages": [1]}, "messages[0] must be an object"),
        ({"stream": "yes"}, "stream must be"),
        ({"options": []}, "options must be an object"),
        ({"format": 3}, "format must be"),
        ({"think": 3}, "think must be"),
        (
            {"messages": [{"role": "user", "content": "", "images": ["%"]}]},
            "messages[0].images[0] must be a base64 text",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
            "messages[0].tool_calls[0].function must be an object",
        ),
    ],
)
def test_a_refusal_is_a_sentence(change, words, provider, gateway, upstream):
    provider()
    seen = upstream(json={})
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": False,
        **change,
    }
    answer = gateway().post("/api/chat", json=body)
    assert 400 <= answer.status_code < 500
    assert list(answer.json()) == ["error"]
    assert words in answer.json()["error"]
    assert not seen


def test_a_stranger_is_refused_in_its_words(gateway):
    wrong = gateway(headers={"authorization": "Bearer wrong"})
    for path in ("/api/tags", "/api/version"):
        answer = wrong.get(path)
        assert answer.status_code == 401
        assert "No valid API key" in answer.json()["error"]


def test_the_api_of_the_registry_keeps_its_paths(client):
    # It asks for a workspace's key in words of its own.
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 401
    assert answer.json() == {"error": "Missing or invalid API key."}


@pytest.mark.parametrize(
    ("ask", "status", "cure"),
    [
        (lambda client: client.generate("gpt-4o-mini", "Hi"), 404, "Call /api/chat"),
        (
            lambda client: client.generate("gpt-4o-mini", "Hi", images=[PNG]),
            404,
            '"images" within the message',
        ),
        (lambda client: client.embeddings("gpt-4o-mini", "Hi"), 400, "Call /api/embed"),
    ],
)
def test_what_its_clients_once_asked_is_refused_with_the_cure(
    provider, gateway, upstream, ask, status, cure
):
    provider()
    seen = upstream(json={})
    gateway()
    with pytest.raises(ollama.ResponseError) as refusal:
        sdk(ask)
    assert refusal.value.status_code == status
    assert refusal.value.error.startswith("/api/")
    assert cure in refusal.value.error
    assert seen == []


@pytest.mark.parametrize(
    ("keep_alive", "reason"), [(None, "load"), ("5m", "load"), (0, "unload")]
)
def test_a_model_is_ready_for_who_asks_to_load_it(
    provider, gateway, upstream, keep_alive, reason
):
    """`ollama run` does so before the first question."""
    provider()
    seen = upstream(json={})
    gateway()

    async def ask(client):
        told = [
            await client.chat("gpt-4o-mini", keep_alive=keep_alive),
            await client.generate("gpt-4o-mini", keep_alive=keep_alive),
        ]
        return [*told, *[each async for each in await streamed(client)]]

    def streamed(client):
        return client.chat("gpt-4o-mini", stream=True, keep_alive=keep_alive)

    chat, generated, line = sdk(ask)
    for each in (chat, generated, line):
        assert (each.model, each.done, each.done_reason) == (
            "gpt-4o-mini",
            True,
            reason,
        )
        assert each.created_at
    assert (chat.message.role, chat.message.content) == ("assistant", "")
    assert generated.response == ""
    assert seen == []


def test_a_model_that_is_not_there_cannot_be_loaded(provider, gateway):
    provider()
    client = gateway()
    for path, body in (
        ("/api/chat", {"model": "other", "messages": []}),
        ("/api/generate", {"model": "other"}),
        ("/api/chat", {}),
    ):
        answer = client.post(path, json=body)
        assert answer.status_code == (404 if body else 400)
        assert list(answer.json()) == ["error"]


def test_openais_embeddings_are_answered_below_api(provider, gateway, upstream):
    provider(models=("text-embedding-3-small",))
    data = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
    upstream(json={"object": "list", "data": data, "model": "m", "usage": {}})
    body = {"model": "text-embedding-3-small", "input": "hi"}
    client = gateway()
    answer = client.post("/api/embeddings", json=body)
    assert (answer.status_code, answer.json()["data"]) == (200, data)
    refused = client.post("/api/embeddings", json={**body, "input": []})
    assert refused.json()["error"]["param"] == "input"

"""The embeddings door: one list of texts in, whoever makes vectors of them."""

import asyncio
import base64
import json
import struct
from pathlib import Path

import httpx
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI

from gateway.calls import embedding
from gateway.errors import GatewayError
from gateway.hub.embeddings import base64_of, checked, floats_of
from tests.gateway.conftest import GatewayClient

CLIENTS = Path(__file__).parents[4] / "shared" / "clients" / "embeddings.jsonl"
URL = "/v1/embeddings"
SMALL = "text-embedding-3-small"
AWS = {
    "provider_type": "bedrock",
    "endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com",
    "region": "us-east-1",
    "private_network": False,
}
OLLAMA = {"provider_type": "ollama", "endpoint": "http://127.0.0.1:9"}

TITAN_1 = "amazon.titan-embed-text-v1"
TITAN_2 = "amazon.titan-embed-text-v2:0"
COHERE_3 = "cohere.embed-english-v3"
COHERE_4 = "cohere.embed-v4:0"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"


def listed(*vectors, **fields):
    """OpenAI's answer that holds `vectors`."""
    data = [
        {"object": "embedding", "index": index, "embedding": each}
        for index, each in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "data": data, "model": SMALL, "usage": usage, **fields}


def vectors_of(answer):
    assert answer.status_code == 200, answer.text
    return [each["embedding"] for each in answer.json()["data"]]


def asked_of(request):
    return json.loads(request.content)


def answering(make, headers=None):
    """A handler: each request gets what `make` says of its body."""

    def respond(request):
        return httpx.Response(200, json=make(asked_of(request)), headers=headers)

    return respond


def numbered(text):
    """A vector that says which text it belongs to."""
    return [float(text), 0.5]


# --- what is asked ---


@pytest.mark.parametrize(
    "path",
    [
        "/v1/embeddings",
        "/embeddings",
        "/api/v1/v1/embeddings",
        "/v1/embeddings/v1/embeddings",
        "/v1/p/openai/v1/embeddings/",
        "/v1/p/openai/embeddings",
    ],
)
def test_every_spelling_of_the_path_leads_in(path, provider, gateway, upstream):
    provider(models=(SMALL,))
    seen = upstream(json=listed([1.0, 2.0]))
    answer = gateway().post(path, json={"model": SMALL, "input": "hi", "own": 1})
    assert vectors_of(answer) == [[1.0, 2.0]]
    assert seen[0].url.path == "/v1/embeddings"
    assert asked_of(seen[0]) == {"model": SMALL, "input": "hi", "own": 1}
    assert gateway().get(path).status_code == 405


@pytest.mark.parametrize(
    ("given", "param", "words"),
    [
        ("", "input[0]", "empty"),
        (["a", ""], "input[1]", "empty"),
        ({}, "input[0]", "empty"),
        ([{"text": "a"}, {}], "input[1]", "empty"),
        ([], "input", "a text"),
        (None, "input", "required"),
        ([1, "a"], "input", "token ids only"),
        (["a", 1], "input[1]", "text, as all others"),
        ([[1], ["a"]], "input[1]", "token ids only"),
        ([True], "input[0]", "text"),
        (7, "input", "a text"),
        (["a"] * 2049, "input", "2,048 entries"),
    ],
)
def test_a_wrong_input_is_named(given, param, words, provider, gateway, upstream):
    provider(models=(SMALL,))
    seen = upstream(json=listed([1.0]))
    answer = gateway().post(URL, json={"model": SMALL, "input": given})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert words in error["message"]
    assert not seen


@pytest.mark.parametrize("form", ["int8", "FLOAT", 1, ["float"]])
def test_another_form_of_vectors_is_refused(form, provider, gateway):
    provider(models=(SMALL,))
    body = {"model": SMALL, "input": "a", "encoding_format": form}
    answer = gateway().post(URL, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "encoding_format"


@pytest.mark.parametrize(
    "ids", [[1, 2, 3], [[1, 2], [3]]], ids=["one sequence", "several"]
)
def test_token_ids_go_only_to_their_own_vocabulary(ids, provider, gateway, upstream):
    provider(models=(SMALL,))
    provider("here", models=("nomic",), **OLLAMA)
    provider("aws", models=(TITAN_2, COHERE_3, NOVA), **AWS)
    provider("other", models=("bge-m3",))
    seen = upstream(json=listed(*([1.0] for _ in ([ids] if ids[0] == 1 else ids))))
    assert gateway().post(URL, json={"model": SMALL, "input": ids}).status_code == 200
    assert asked_of(seen[0])["input"] == ids
    for model in ("nomic", TITAN_2, COHERE_3, NOVA, "bge-m3"):
        answer = gateway().post(URL, json={"model": model, "input": ids})
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (400, "input"), model
        assert "check_embedding_ctx_length=False" in error["message"]
    assert len(seen) == 1


def test_what_cannot_embed_says_so(provider, gateway, upstream):
    claude = {"provider_type": "anthropic", "endpoint": "https://api.anthropic.com"}
    provider("anthropic", models=("claude-sonnet-5",), private_network=False, **claude)
    provider("aws", models=("amazon.nova-pro-v1:0",), **AWS)
    seen = upstream(json={})
    for model in ("claude-sonnet-5", "amazon.nova-pro-v1:0"):
        answer = gateway().post(URL, json={"model": model, "input": "a"})
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (400, "model")
        assert "does not make embeddings" in error["message"]
    assert not seen


# --- the form of the answer ---


def test_what_needs_no_mending_is_given_on_to_the_letter(provider, gateway, upstream):
    provider(models=(SMALL,))
    data = b'[{"object": "embedding", "index": 0, "embedding": [0.10, -2e-3], "x": 1}]'
    raw = b'{"data": ' + data + b', "model": "up", "usage": {"prompt_tokens": 3}}'
    upstream(lambda request: httpx.Response(200, content=raw))
    answer = gateway().post(URL, json={"model": SMALL, "input": "hi"})
    assert data in answer.content
    assert answer.json()["model"] == SMALL
    assert answer.json()["usage"] == {"prompt_tokens": 3}


@pytest.mark.parametrize("form", ["float", None, "base64"])
@pytest.mark.parametrize("spoken", ["float", "base64"])
def test_the_answer_has_the_form_that_was_asked_for(
    form, spoken, provider, gateway, upstream
):
    provider(models=("bge-m3",))
    floats = [1.0, -2.5]
    upstream(json=listed(floats if spoken == "float" else base64_of(floats)))
    body = {"model": "bge-m3", "input": "hi", "encoding_format": form}
    if form is None:
        del body["encoding_format"]
    (vector,) = vectors_of(gateway().post(URL, json=body))
    assert vector == ("AACAPwAAIMA=" if form == "base64" else floats)


def test_a_list_without_order_is_put_in_order(provider, gateway, upstream, ledger):
    provider(models=("bge-m3",))
    data = [{"index": 1, "embedding": [1.0]}, {"index": 0, "embedding": [0.0]}]
    upstream(json={"data": data})
    answer = gateway().post(URL, json={"model": "bge-m3", "input": ["a", "b" * 40]})
    assert answer.json() == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.0]},
            {"object": "embedding", "index": 1, "embedding": [1.0]},
        ],
        "model": "bge-m3",
        "usage": {"prompt_tokens": 11, "total_tokens": 11},
    }
    assert ledger()[0]["estimated"] is True


def test_a_refused_form_is_left_out_and_remembered(provider, gateway, upstream):
    provider(models=("bge-m3",))

    def respond(request):
        if "encoding_format" in asked_of(request):
            message = "encoding_format is not supported by this server"
            return httpx.Response(400, json={"error": {"message": message}})
        return httpx.Response(200, json=listed([1.0, -2.5]))

    seen = upstream(respond)
    client = gateway()
    body = {"model": "bge-m3", "input": "hi", "encoding_format": "base64"}
    for _ in range(2):
        assert vectors_of(client.post(URL, json=body)) == ["AACAPwAAIMA="]
    assert len(seen) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b'{"data": [{"index": 0, "embedding": []}]}',
        b'{"data": [{"index": 0, "embedding": ""}]}',
        b'{"data": [{"index": 0, "embedding": ["a"]}]}',
        b'{"data": [{"index": 0, "embedding": [NaN]}]}',
        b'{"data": [{"index": 0, "embedding": "AAA"}]}',
        b'{"data": [{"index": 0}]}',
        b'{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1]}]}',
        b'{"data": []}',
        b'{"data": {}}',
        b"{}",
        b"[]",
        b"<html>",
    ],
)
def test_an_answer_that_is_none_is_told_as_such(answer, provider, gateway, upstream):
    provider(models=("bge-m3",))
    upstream(lambda request: httpx.Response(200, content=answer))
    got = gateway().post(URL, json={"model": "bge-m3", "input": "hi"})
    assert got.status_code == 502
    assert got.json()["error"]["code"] in {
        "upstream_invalid_response",
        "upstream_error",
    }


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_a_vector_keeps_its_numbers_through_base64(vector):
    text = base64_of(vector)
    assert base64.b64decode(text) == struct.pack(f"<{len(vector)}f", *vector)
    assert floats_of(text) == vector


@pytest.mark.parametrize("vector", [[1e300], [float("inf")], [True], [None], []])
def test_a_vector_beyond_its_form_is_no_vector(vector):
    with pytest.raises(GatewayError, match=r"vector|numbers"):
        base64_of(checked([vector], 1)[0])


# --- upstreams of their own formats ---


def test_ollama_never_cuts_a_text_untold(provider, gateway, upstream, ledger):
    provider("here", models=("nomic",), **OLLAMA)
    seen = upstream(json={"embeddings": [[1.0], [2.0]], "prompt_eval_count": 8})
    more = {"dimensions": 256, "keep_alive": "5m", "num_ctx": 512, "user": "u", "x": 1}
    answer = gateway().post(URL, json={"model": "nomic", "input": ["a", "b"], **more})
    assert vectors_of(answer) == [[1.0], [2.0]]
    assert answer.json()["usage"] == {"prompt_tokens": 8, "total_tokens": 8}
    assert answer.headers["x-gateway-dropped-params"] == "x"
    assert seen[0].url.path == "/api/embed"
    assert asked_of(seen[0]) == {
        "model": "nomic",
        "input": ["a", "b"],
        "truncate": False,
        "dimensions": 256,
        "keep_alive": "5m",
        "options": {"num_ctx": 512},
    }
    (row,) = ledger()
    assert (row["door"], row["input_tokens"], row["output_tokens"]) == (
        "embeddings",
        8,
        0,
    )
    assert row["details"] == {"inputs": 2, "upstream_calls": 1, "dimensions": 1}


def test_a_text_too_long_for_ollama_is_an_overflow(provider, gateway, upstream):
    provider("here", models=("nomic",), **OLLAMA)
    message = "the input length exceeds the context length"
    upstream(json={"error": message}, status=400)
    answer = gateway().post(URL, json={"model": "nomic", "input": "a"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    ("model", "more", "sent"),
    [
        (TITAN_1, {"dimensions": 1536}, {"inputText": "a"}),
        (
            TITAN_2,
            {"dimensions": 512},
            {
                "inputText": "a",
                "dimensions": 512,
                "normalize": True,
                "embeddingTypes": ["float"],
            },
        ),
        (
            "amazon.titan-embed-image-v1",
            {"dimensions": 384},
            {"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 384}},
        ),
        (
            COHERE_3,
            {"input_type": "query"},
            {"texts": ["a"], "input_type": "search_query", "truncate": "NONE"},
        ),
        (
            "us.cohere.embed-v4:0",
            {"dimensions": 256},
            {
                "texts": ["a"],
                "input_type": "search_document",
                "embedding_types": ["float"],
                "output_dimension": 256,
                "truncate": "NONE",
            },
        ),
        (
            NOVA,
            {"input_type": "query", "dimensions": 384, "truncate": True},
            {
                "schemaVersion": "nova-multimodal-embed-v1",
                "taskType": "SINGLE_EMBEDDING",
                "singleEmbeddingParams": {
                    "embeddingPurpose": "TEXT_RETRIEVAL",
                    "embeddingDimension": 384,
                    "text": {"truncationMode": "END", "value": "a"},
                },
            },
        ),
    ],
)
def test_each_family_of_bedrock_is_asked_its_own_way(
    model, more, sent, provider, gateway, upstream
):
    provider("aws", models=(model,), **AWS)
    vector = [0.5, 0.25]
    seen = upstream(
        json={
            "embedding": vector,
            "embeddings": [{"embedding": vector}] if model == NOVA else [vector],
        },
        headers={"x-amzn-bedrock-input-token-count": "4"},
    )
    answer = gateway().post(URL, json={"model": model, "input": "a", **more})
    assert vectors_of(answer) == [vector]
    assert answer.json()["usage"]["prompt_tokens"] == 4
    assert asked_of(seen[0]) == sent
    assert (
        seen[0]
        .url.raw_path.decode()
        .startswith("/model/" + model.replace(":", "%3A") + "/invoke")
    )


def test_cohere_answers_by_type_too(provider, gateway, upstream):
    provider("aws", models=(COHERE_4,), **AWS)
    upstream(json={"embeddings": {"float": [[1.0], [2.0]]}})
    answer = gateway().post(URL, json={"model": COHERE_4, "input": ["a", "b"]})
    assert vectors_of(answer) == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("model", "more", "param"),
    [
        (TITAN_1, {"dimensions": 512}, "dimensions"),
        (COHERE_3, {"dimensions": 256}, "dimensions"),
        (COHERE_4, {"truncate": True}, "truncate"),
        (COHERE_4, {"dimensions": 0}, "dimensions"),
        (TITAN_2, {"dimensions": "512"}, "dimensions"),
        (NOVA, {"truncate": "END"}, "truncate"),
    ],
)
def test_a_wish_that_a_model_cannot_meet_is_refused(
    model, more, param, provider, gateway, upstream
):
    provider("aws", models=(model,), **AWS)
    seen = upstream(json={})
    answer = gateway().post(URL, json={"model": model, "input": "a", **more})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert not seen


def test_what_texts_are_for_can_be_said_of_a_model(provider, gateway, upstream):
    row = provider("aws", models=(COHERE_3,), **AWS)
    row.provider_models.update(capabilities={"input_type": "search_query"})
    seen = upstream(json={"embeddings": [[1.0]]})
    body = {"model": COHERE_3, "input": "a"}
    gateway().post(URL, json=body)
    gateway().post(URL, json={**body, "input_type": "document"})
    assert [asked_of(each)["input_type"] for each in seen] == [
        "search_query",
        "search_document",
    ]


def test_an_arn_is_embedded_by_its_base_model(provider, gateway, upstream):
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    row = provider("aws", models=("embed",), **AWS)
    row.provider_models.update(upstream_id=arn, base_model=TITAN_2)
    seen = upstream(json={"embedding": [1.0], "inputTextTokenCount": 2})
    answer = gateway().post(URL, json={"model": "embed", "input": "a"})
    assert vectors_of(answer) == [[1.0]]
    assert b"%2Fabc/invoke" in seen[0].url.raw_path


# --- split and joined ---


def test_many_texts_come_back_in_their_order(provider, gateway, upstream, ledger):
    provider("aws", models=(TITAN_2,), **AWS)
    texts = [str(number) for number in range(40)]
    seen = upstream(
        answering(
            lambda body: {
                "embedding": numbered(body["inputText"]),
                "inputTextTokenCount": 2,
            }
        )
    )
    answer = gateway().post(URL, json={"model": TITAN_2, "input": texts})
    assert vectors_of(answer) == [numbered(text) for text in texts]
    assert answer.json()["usage"]["total_tokens"] == 80
    assert len(seen) == 40
    (row,) = ledger()
    assert row["details"] == {"inputs": 40, "upstream_calls": 40, "dimensions": 2}


def test_cohere_takes_96_at_a_time(provider, gateway, upstream):
    provider("aws", models=(COHERE_3,), **AWS)
    texts = [str(number) for number in range(97)]
    seen = upstream(
        answering(
            lambda body: {"embeddings": [numbered(text) for text in body["texts"]]},
            {"x-amzn-bedrock-input-token-count": "96"},
        )
    )
    answer = gateway().post(URL, json={"model": COHERE_3, "input": texts})
    assert vectors_of(answer) == [numbered(text) for text in texts]
    assert [len(asked_of(each)["texts"]) for each in seen] == [96, 1]


def test_no_more_than_eight_parts_are_open_at_once(provider, gateway, upstream):
    provider("aws", models=(TITAN_2,), **AWS)
    open_now, most = 0, 0

    class Slow(httpx.AsyncByteStream):
        async def __aiter__(self):
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            await asyncio.sleep(0.01)
            open_now -= 1
            yield b'{"embedding": [1.0]}'

    upstream(lambda request: httpx.Response(200, stream=Slow()))
    body = {"model": TITAN_2, "input": ["a"] * 30}
    assert len(vectors_of(gateway().post(URL, json=body))) == 30
    assert most == embedding.AT_ONCE


@pytest.fixture
def no_waiting(monkeypatch):
    """Lets waits pass at once."""
    waits = []
    sleep = asyncio.sleep

    async def note(seconds):
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(embedding.asyncio, "sleep", note)
    return waits


def throttled(times, retry_after="1"):
    """Refuses the text `5` that many times."""
    left = times

    def respond(request):
        nonlocal left
        text = asked_of(request)["inputText"]
        if text == "5" and left:
            left -= 1
            headers = {
                "x-amzn-errortype": "ThrottlingException",
                "retry-after": retry_after,
            }
            return httpx.Response(429, json={"message": "slow down"}, headers=headers)
        body = {"embedding": numbered(text), "inputTextTokenCount": 1}
        return httpx.Response(200, json=body)

    return respond


def test_a_part_that_is_throttled_is_asked_again(
    provider, gateway, upstream, no_waiting
):
    provider("aws", models=(TITAN_2,), **AWS)
    upstream(throttled(2))
    texts = [str(number) for number in range(20)]
    answer = gateway().post(URL, json={"model": TITAN_2, "input": texts})
    assert vectors_of(answer) == [numbered(text) for text in texts]
    assert no_waiting == [1.0, 1.0]


@pytest.mark.parametrize(
    ("times", "retry_after", "waits"), [(9, "1", [1.0, 1.0]), (1, "30", [])]
)
def test_there_is_no_half_an_answer(
    times, retry_after, waits, provider, gateway, upstream, ledger, no_waiting
):
    provider("aws", models=(TITAN_2,), **AWS)
    upstream(throttled(times, retry_after))
    texts = [str(number) for number in range(20)]
    answer = gateway().post(URL, json={"model": TITAN_2, "input": texts})
    assert answer.status_code == 429
    assert answer.json()["error"]["message"].startswith("input[5]: ")
    assert no_waiting == waits
    (row,) = ledger()
    # What was spent until then is known.
    assert row["outcome"] == "upstream_error"
    assert 5 <= row["input_tokens"] < 20


# --- who is asked ---


def test_another_provider_is_asked_for_the_same_model_only(provider, gateway, upstream):
    provider("aws", models=("embed",), priority=1, **AWS)
    provider("far", models=("embed",), priority=2, **AWS)
    provider("other", models=("embed",), priority=3)
    for name, id in (("aws", TITAN_2), ("far", f"us.{TITAN_2}")):
        _rename(name, id)

    def respond(request):
        if request.url.raw_path.startswith(b"/model/us."):
            return httpx.Response(200, json={"embedding": [1.0]})
        if "bedrock" in request.url.host:
            return httpx.Response(503, json={"message": "try again"})
        return httpx.Response(200, json=listed([9.0]))

    upstream(respond)
    answer = gateway().post(URL, json={"model": "embed", "input": "a"})
    assert answer.headers["x-gateway-provider"] == "far"
    assert vectors_of(answer) == [[1.0]]


def test_a_model_of_another_kind_never_stands_in(provider, gateway, upstream):
    provider("aws", models=("embed",), priority=1, **AWS)
    provider("other", models=("embed",), priority=2)
    _rename("aws", TITAN_2)
    upstream(
        lambda request: (
            httpx.Response(503, json={"message": "try again"})
            if "bedrock" in request.url.host
            else httpx.Response(200, json=listed([9.0]))
        )
    )
    answer = gateway().post(URL, json={"model": "embed", "input": "a"})
    assert answer.status_code == 503


def _rename(provider, upstream_id):
    from providers.models import ProviderModel

    ProviderModel.objects.filter(provider__name=provider).update(
        upstream_id=upstream_id
    )


def test_limits_count_every_upstream_call(provider, gateway, upstream):
    provider("aws", models=(TITAN_2,), requests_per_minute=3, **AWS)
    seen = upstream(json={"embedding": [1.0]})
    body = {"model": TITAN_2, "input": ["a", "b", "c", "d"]}
    answer = gateway().post(URL, json=body)
    assert answer.status_code == 429
    # Where a limit is asked over a network, the refusal may overtake those admitted.
    assert len(seen) <= 3
    seen.clear()
    assert gateway().post(URL, json={**body, "input": "a"}).status_code == 429
    assert not seen


def test_a_credential_does_not_come_back(provider, gateway, upstream):
    provider(models=("bge-m3",), key="sk-upstream-key-0123456789")
    upstream(json={"error": {"message": "sk-upstream-key-0123456789"}}, status=400)
    answer = gateway().post(URL, json={"model": "bge-m3", "input": "a"})
    assert "sk-upstream-key" not in answer.text


# --- clients ---


@pytest.mark.parametrize("model", ["bge-m3", "nomic", TITAN_2])
@pytest.mark.parametrize("form", [None, "float", "base64"])
def test_openais_sdk_reads_every_upstream_alike(
    model, form, provider, gateway, upstream
):
    provider(models=("bge-m3",))
    provider("here", models=("nomic",), **OLLAMA)
    provider("aws", models=(TITAN_2,), **AWS)
    vector = [0.125, -2.5, 3.0]
    upstream(
        json={**listed(vector), "embeddings": [vector], "embedding": vector},
    )
    gateway()

    async def ask():
        from runagents.asgi import application

        transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 5000))
        async with httpx.AsyncClient(transport=transport) as http:
            client = AsyncOpenAI(
                api_key="platform-managed",
                base_url="http://127.0.0.1:8000/v1",
                http_client=http,
            )
            more = {} if form is None else {"encoding_format": form}
            return await client.embeddings.create(model=model, input="hi", **more)

    answer = asyncio.run(ask())
    (item,) = answer.data
    got = item.embedding
    if isinstance(got, str):
        got = numpy.frombuffer(base64.b64decode(got), "<f4").tolist()
    assert got == vector
    assert answer.model == model


@pytest.mark.skipif(not CLIENTS.exists(), reason="the recorded clients are not here")
def test_every_recorded_client_gets_its_vectors(provider, gateway, upstream):
    lines = [json.loads(line) for line in CLIENTS.read_text().splitlines()]
    lines = [line for line in lines if line.get("body")]
    models = tuple({line["body"]["model"] for line in lines})
    provider(models=models)

    def respond(request):
        given = asked_of(request)["input"]
        count = 1 if isinstance(given, str) or isinstance(given[0], int) else len(given)
        return httpx.Response(200, json=listed(*([1.0, 2.0] for _ in range(count))))

    upstream(respond)
    client: GatewayClient = gateway()
    for line in lines:
        path = line["path"].partition("?")[0]
        answer = client.post(path, json=line["body"])
        assert answer.status_code == 200, (line["client"], answer.text)
        wants_text = line["body"].get("encoding_format") == "base64"
        for vector in vectors_of(answer):
            assert isinstance(vector, str if wants_text else list), line["client"]


# --- the sandbox ---


@pytest.mark.parametrize("form", ["float", "base64"])
def test_the_sandbox_answers_alike_to_alike(form, gateway):
    from providers import starter

    client = gateway(headers={"authorization": f"Bearer {starter.sandbox_key()}"})
    body = {"model": starter.EMBEDDING_MODEL, "encoding_format": form}
    answer = client.post(
        "/sandbox/v1/embeddings", json={**body, "input": ["a", "b", "a"]}
    )
    first, second, third = vectors_of(answer)
    assert first == third != second
    numbers = floats_of(first) if form == "base64" else first
    assert len(numbers) == 256
    assert sum(each * each for each in numbers) == pytest.approx(1, abs=1e-5)


def test_the_sandbox_embeds_for_its_provider_only(gateway):
    body = {"model": "sandbox-embedding", "input": "a"}
    assert gateway().post("/sandbox/v1/embeddings", json=body).status_code == 401

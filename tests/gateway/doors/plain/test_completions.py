"""Legacy completions: passed on where a server has them, refused in words elsewhere."""

import json

import httpx
import pytest

from providers.models import ProviderModel
from tests.doors import COMPLETIONS, WRITTEN

ASKED = COMPLETIONS.body
DONE = b"data: [DONE]\n\n"


def event(**fields):
    """One event of a stream."""
    chunk = {"id": "cmpl-1", "object": "text_completion", "model": "up-1", **fields}
    return b"data: %b\n\n" % json.dumps(chunk).encode()


def piece(text, end=None, index=0):
    """An event with a piece of a choice."""
    choice = {"index": index, "text": text, "logprobs": None, "finish_reason": end}
    return event(choices=[choice])


USAGE = event(choices=[], usage=WRITTEN["usage"])
HELLO = [piece("hel"), piece("lo"), piece("", "stop"), USAGE, DONE]


def chunks_in(raw):
    """The chunks of a stream that ends as it must."""
    *events, last, rest = raw.decode().split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


@pytest.fixture
def renamed(provider):
    """A model that its provider calls otherwise."""
    provider()
    ProviderModel.objects.update(upstream_id="up-1")


def test_a_request_goes_on_as_it_came(renamed, upstream, gateway):
    seen = upstream(json={**WRITTEN, "model": "up-1", "later": 1})
    raw = b'{"prompt":["a","b"], "model":"gpt-4o-mini","suffix":"z","temperature":1.50}'
    answer = gateway().post(
        "/v1/completions", content=raw, headers={"content-type": "application/json"}
    )
    assert seen[0].url.path == "/v1/completions"
    assert seen[0].content == raw.replace(b"gpt-4o-mini", b"up-1")
    assert answer.json() == {**WRITTEN, "later": 1}


def test_a_stream_is_passed_on_and_counted(renamed, upstream, gateway, ledger):
    seen = upstream(stream=HELLO)
    answer = COMPLETIONS.ask(gateway(), stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = chunks_in(answer.content)
    assert "".join(c["text"] for chunk in told for c in chunk["choices"]) == "hello"
    assert {chunk["model"] for chunk in told} == {"gpt-4o-mini"}
    # The client did not ask for usage; the ledger did.
    assert all("usage" not in chunk and chunk["choices"] for chunk in told)
    assert json.loads(seen[0].content)["stream_options"] == {"include_usage": True}
    (row,) = ledger()
    assert (row["door"], row["outcome"], row["stream"]) == ("completions", "ok", True)
    assert (row["input_tokens"], row["output_tokens"]) == (9, 2)
    assert row["finish_reason"] == "stop"


def test_who_asks_for_usage_is_told(renamed, upstream, gateway):
    upstream(stream=HELLO)
    wish = {"include_usage": True}
    answer = COMPLETIONS.ask(gateway(), stream=True, stream_options=wish)
    assert chunks_in(answer.content)[-1]["usage"]["total_tokens"] == 11


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_stream_is_the_same_however_it_is_cut(renamed, upstream, gateway, size):
    whole = b"".join(HELLO)
    cut = [whole[at : at + size] for at in range(0, len(whole), size)]
    upstream(stream=cut)
    told = chunks_in(COMPLETIONS.ask(gateway(), stream=True).content)
    upstream(stream=[whole])
    assert told == chunks_in(COMPLETIONS.ask(gateway(), stream=True).content)


def test_who_refuses_to_count_is_asked_without(renamed, upstream, gateway):
    said = {"error": {"message": "Unrecognized request argument: stream_options"}}

    def answer(request):
        if b"stream_options" in request.content:
            return httpx.Response(400, json=said)
        events = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=events, content=b"".join(HELLO))

    seen = upstream(answer)
    client = gateway()
    for _ in range(2):
        assert chunks_in(COMPLETIONS.ask(client, stream=True).content)
    assert len(seen) == 3


def test_an_answer_that_came_whole_is_told_as_a_stream(renamed, upstream, gateway):
    upstream(json={**WRITTEN, "model": "up-1"})
    (told,) = chunks_in(COMPLETIONS.ask(gateway(), stream=True).content)
    assert told["choices"] == WRITTEN["choices"]


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        ([piece("hel")], "upstream_stream_truncated"),
        ([piece("hel"), b'data: {"error":{"message":"no"}}\n\n'], "upstream_error"),
    ],
)
def test_a_stream_that_fails_says_so(renamed, upstream, gateway, ledger, stream, code):
    upstream(stream=stream)
    answer = COMPLETIONS.ask(gateway(), stream=True)
    *_, last = answer.text.removesuffix("\n\n").split("\n\n")
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == code
    assert "[DONE]" not in answer.text
    (row,) = ledger()
    assert (row["outcome"], row["error_code"]) == ("upstream_error", code)
    assert row["estimated"]


def test_a_stream_without_its_last_word_is_complete(renamed, upstream, gateway):
    upstream(stream=HELLO[:3])
    assert chunks_in(COMPLETIONS.ask(gateway(), stream=True).content)


def test_an_echoed_credential_is_taken_out_of_a_stream(provider, upstream, gateway):
    provider(value_prefix="", key="Odd-key-0123456789")
    upstream(stream=[piece("my Odd-key-"), piece("0123456789"), *HELLO[2:]])
    answer = COMPLETIONS.ask(gateway(), stream=True)
    told = chunks_in(answer.content)
    text = "".join(c["text"] for chunk in told for c in chunk["choices"])
    assert text == "my [redacted]"


@pytest.mark.parametrize("stream", [True, False])
def test_who_only_answers_chat_says_where(other, upstream, gateway, stream):
    other()
    seen = upstream(json={})
    answer = COMPLETIONS.ask(gateway(), stream=stream)
    told = COMPLETIONS.check_refused(answer, 400, "unsupported_parameter")
    assert told == "This model only answers chat. Use /v1/chat/completions."
    assert answer.json()["error"]["param"] == "model"
    assert not seen


def test_a_compatible_server_without_the_path_says_the_same(
    provider, upstream, gateway
):
    provider()
    upstream(status=404, json={"detail": "Not Found"})
    told = COMPLETIONS.check_refused(
        COMPLETIONS.ask(gateway()), 400, "unsupported_parameter"
    )
    assert "Use /v1/chat/completions." in told


def test_a_server_that_has_it_speaks_for_itself(provider, upstream, gateway):
    provider()
    said = "This is a chat model and not supported in the v1/completions endpoint."
    upstream(status=404, json={"error": {"message": said}})
    answer = COMPLETIONS.ask(gateway())
    assert answer.status_code == 404
    assert said in answer.json()["error"]["message"]


def test_of_several_that_serve_a_model_one_that_has_it_is_asked(
    other, provider, upstream, gateway
):
    other("first", priority=1)
    provider("second", priority=2)
    upstream(json=WRITTEN)
    answer = COMPLETIONS.ask(gateway())
    COMPLETIONS.check_answered(answer)
    assert answer.headers["x-gateway-provider"] == "second"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**ASKED, "model": None}, "model"),
        ({**ASKED, "stream": 1}, "stream"),
        ({"model": "gpt-4o-mini"}, "prompt"),
    ],
)
def test_what_cannot_be_routed_is_named(provider, gateway, body, param):
    provider()
    answer = gateway().post("/v1/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    "path",
    [
        "/completions",
        "/v1/completions/",
        "/api/v1/v1/completions",
        "/v1/p/openai/completions",
        "/p/openai/v1/completions",
        "/v1/completions/v1/completions",
    ],
)
def test_every_spelling_of_the_path_leads_there(provider, upstream, gateway, path):
    provider()
    upstream(json=WRITTEN)
    COMPLETIONS.check_answered(gateway().post(path, json=ASKED))

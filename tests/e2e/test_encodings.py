"""Upstreams that compress unasked, close idle connections, and speak plain text."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import registries
from tests.e2e.processes import Server
from tests.faults import COMPLETION, EVENT, Answer, FaultServer

WHOLE = json.dumps(COMPLETION).encode()
END = EVENT.replace(b'"finish_reason": null', b'"finish_reason": "stop"')
STREAM = EVENT * 3 + b"data: [DONE]\n\n"
SLOW_DOWN = b'{"error": {"message": "Slow down."}}'
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}

CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "none": bytes,
    "utf-8": bytes,
}


def _answers() -> dict[str, Answer]:
    answers = {}
    for coding, pack in CODINGS.items():
        told = {"content-encoding": coding}
        answers[f"{coding}-whole"] = Answer(200, pack(WHOLE), {**JSON, **told})
        answers[f"{coding}-stream"] = Answer(200, pack(STREAM), {**SSE, **told})
        limited = {**JSON, **told, "retry-after": "7"}
        answers[f"{coding}-limited"] = Answer(429, pack(SLOW_DOWN), limited)
    for coding in ("br", "zstd"):
        told = {**JSON, "content-encoding": coding, "retry-after": "7"}
        answers[f"{coding}-whole"] = Answer(200, b"\x8b\x00", told)
        answers[f"{coding}-limited"] = Answer(429, b"\x8b\x00", told)
    text = {"content-type": "text/plain"}
    answers["plain"] = Answer(422, b"missing field `tools` at line 1\n", text)
    answers["long-header"] = Answer(200, WHOLE, {**JSON, "x-policy": "p" * 16384})
    return answers


ANSWERS = _answers()


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultServer]:
    with FaultServer() as server:
        for name, answer in ANSWERS.items():
            server.answers[f"/{name}/v1/chat/completions"] = answer
        yield server


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], upstream: FaultServer) -> Server:
    rows = [registries.openai(n, f"{upstream.url}/{n}", n) for n in ANSWERS]
    return server(registries.registry(*rows))


@pytest.mark.parametrize("coding", CODINGS)
def test_a_whole_answer_is_read(gateway, coding):
    response = gateway.chat(f"{coding}-whole")
    assert response.status_code == 200
    message = COMPLETION["choices"][0]["message"]
    assert response.json()["choices"][0]["message"] == message


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_is_read(gateway, coding):
    plain = gateway.chat("none-stream", stream=True).text.count("word")
    response = gateway.chat(f"{coding}-stream", stream=True)
    assert response.status_code == 200
    assert response.text.count("word") == plain > 0


@pytest.mark.parametrize("coding", CODINGS)
def test_an_error_keeps_status_delay_and_words(gateway, coding):
    response = gateway.chat(f"{coding}-limited")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert "Slow down." in response.json()["error"]["message"]


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_what_cannot_be_read_is_refused_in_words(gateway, coding):
    response = gateway.chat(f"{coding}-whole")
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (502, "upstream_invalid_response")
    assert f"({coding})" in error["message"]
    limited = gateway.chat(f"{coding}-limited")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")


def test_a_refusal_in_plain_text_keeps_its_words(gateway):
    response = gateway.chat("plain")
    assert response.status_code == 422
    assert response.json()["error"]["message"] == "missing field `tools` at line 1"


def test_a_header_of_sixteen_kilobytes_is_read(gateway):
    assert gateway.chat("long-header").status_code == 200

"""Runs the golden cases; tests/gateway/cases/README.md explains their files."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.doors.chat import render_error
from gateway.errors import GatewayError
from gateway.hub.protocol import (
    JSON,
    PausingParser,
    Reply,
    Route,
    StreamParser,
    UpstreamRequest,
)
from gateway.translators import TRANSLATORS
from tests.at_once import at_once
from tests.gateway.frames import stream_bytes

CASES = Path(__file__).parents[1] / "cases"
DEFAULT_ROUTE = {
    "model": "alias",
    "upstream_model": "upstream-model",
    "completion_id": "chatcmpl-test",
    "created": 1_700_000_000,
}


def having(*names: str) -> list[Any]:
    """Return the cases with one of the files `names`, as parameters."""
    return [
        pytest.param(case, id=f"{case.parent.name}/{case.name}")
        for case in sorted(CASES.glob("*/*/"))
        if any((case / name).exists() for name in names)
    ]


def read(case: Path, name: str) -> Any:
    return json.loads((case / name).read_text())


def route_of(case: Path) -> tuple[Route, JSON]:
    given = read(case, "route.json") if (case / "route.json").exists() else {}
    reply = given.pop("reply", {})
    if "avoid" in given:
        given["avoid"] = frozenset(given["avoid"])
    return Route(**DEFAULT_ROUTE | given), reply


def rendered(case: Path) -> UpstreamRequest:
    body = read(case, "request.json")
    upstream = TRANSLATORS[case.parent.name].render_request(body, route_of(case)[0])
    assert body == read(case, "request.json"), "the request was mutated"
    return upstream


def reply_of(case: Path) -> Reply:
    route, fields = route_of(case)
    if (case / "request.json").exists():
        reply = rendered(case).reply
    else:
        reply = Reply(
            route.model, route.completion_id, route.created, options=route.options
        )
    if "stop" in fields:
        fields["stop"] = tuple(fields["stop"])
    return reply._replace(**fields)


def check_error(error: GatewayError | None, case: Path) -> None:
    expected = read(case, "error.json")
    assert error is not None
    headers = expected.pop("headers", {})
    assert {"status": error.status, **render_error(error)} == expected
    assert headers.items() <= error.headers.items()


def refused_requests() -> list[Any]:
    """Return the cases whose error is about the request, not about an answer."""
    return [
        param
        for param in having("request.json")
        if (param.values[0] / "error.json").exists()
        and not list(param.values[0].glob("upstream_*"))
    ]


@pytest.mark.parametrize("case", refused_requests())
def test_a_request_is_refused(case: Path) -> None:
    with pytest.raises(GatewayError) as refused:
        rendered(case)
    check_error(refused.value, case)


@at_once("case", having("upstream_request.json"))
def test_a_request_is_rendered(case: Path) -> None:
    upstream = rendered(case)
    expected = read(case, "upstream_request.json")
    assert upstream.body == expected["body"]
    assert list(upstream.dropped) == expected.get("dropped", [])
    assert list(upstream.downgraded) == expected.get("downgraded", [])
    assert upstream.path == expected.get("path", upstream.path)
    assert expected.get("headers", {}).items() <= dict(upstream.headers).items()


@at_once("case", having("upstream_response.json"))
def test_an_answer_is_parsed(case: Path) -> None:
    translator = TRANSLATORS[case.parent.name]
    headers = (
        read(case, "upstream_headers.json")
        if (case / "upstream_headers.json").exists()
        else {}
    )
    payload = read(case, "upstream_response.json")
    if (case / "error.json").exists():
        with pytest.raises(GatewayError) as failed:
            translator.parse_response(payload, headers, reply_of(case))
        check_error(failed.value, case)
        return
    answer = translator.parse_response(payload, headers, reply_of(case))
    assert answer == read(case, "response.json")


STREAMS = having("upstream_stream.txt", "upstream_stream.b64", "upstream_events.json")


def stream_of(case: Path) -> bytes:
    if (case / "upstream_events.json").exists():
        return stream_bytes(read(case, "upstream_events.json"))
    if (case / "upstream_stream.txt").exists():
        return (case / "upstream_stream.txt").read_bytes()
    return base64.b64decode((case / "upstream_stream.b64").read_bytes())


def fed(parser: StreamParser, raw: bytes, cut: str) -> list[JSON]:
    size = {"whole": len(raw) or 1, "bytes": 1, "odd": 13}[cut]
    chunks: list[JSON] = []
    for start in range(0, len(raw), size):
        chunks += parser.feed(raw[start : start + size])
    return chunks


def gone_on(parser: PausingParser, case: Path, cut: str) -> list[JSON]:
    """Feed the second stream of an answer that paused after the first."""
    resume = rendered(case).resume
    assert resume is not None
    assert parser.state.paused is not None
    upstream = resume(parser.state.paused)
    assert upstream is not None
    assert upstream.body == read(case, "upstream_request_2.json")["body"]
    parser.resume(upstream.reply)
    return fed(parser, (case / "upstream_stream_2.txt").read_bytes(), cut)


@at_once("cut", ["whole", "bytes", "odd"])
@at_once("case", STREAMS)
def test_a_stream_is_parsed_however_it_is_cut(case: Path, cut: str) -> None:
    parser = TRANSLATORS[case.parent.name].stream_parser(reply_of(case))
    chunks = fed(parser, stream_of(case), cut)
    if (case / "upstream_stream_2.txt").exists():
        assert isinstance(parser, PausingParser)
        chunks += gone_on(parser, case, cut)
    chunks += parser.close()
    assert chunks == read(case, "chunks.json")
    if (case / "error.json").exists():
        check_error(parser.state.error, case)
    else:
        assert parser.state.error is None
        assert parser.state.done
    if (case / "usage.json").exists():
        assert parser.state.usage == read(case, "usage.json")


@pytest.mark.parametrize("case", having("upstream_error.json"))
def test_a_refusal_is_parsed(case: Path) -> None:
    refusal = read(case, "upstream_error.json")
    payload = (
        json.dumps(refusal["body"]) if "body" in refusal else refusal["text"]
    ).encode()
    error = TRANSLATORS[case.parent.name].parse_error(
        refusal["status"], refusal.get("headers", {}), payload
    )
    check_error(error, case)


@at_once("case", having("."))
def test_every_case_runs_something(case: Path) -> None:
    names = {path.name for path in case.iterdir()}
    pairs = [
        {"request.json", "upstream_request.json"},
        {"request.json", "error.json"},
        {"upstream_response.json", "response.json"},
        {"upstream_response.json", "error.json"},
        {"upstream_stream.txt", "chunks.json"},
        {"upstream_stream.b64", "chunks.json"},
        {"upstream_events.json", "chunks.json"},
        {"upstream_error.json", "error.json"},
    ]
    assert any(pair <= names for pair in pairs)


@at_once("case", having("chunks.json"))
def test_the_official_helper_reads_the_stream(case: Path) -> None:
    chunks = [ChatCompletionChunk.model_validate(x) for x in read(case, "chunks.json")]
    state = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(chunk)
    if chunks and any(chunk.choices for chunk in chunks):
        said = "".join(
            choice.delta.content or ""
            for chunk in chunks
            for choice in chunk.choices
            if choice.index == 0
        )
        message = state.current_completion_snapshot.choices[0].message
        assert (message.content or "") == said


@at_once("case", having("response.json"))
def test_an_answer_fits_the_official_type(case: Path) -> None:
    ChatCompletion.model_validate(read(case, "response.json"))

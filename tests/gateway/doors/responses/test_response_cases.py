"""Runs the golden cases; cases/README.md explains their files."""

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types.responses import Response

from gateway.doors import responses
from gateway.doors.chat import render_error
from gateway.doors.protocol import NOTHING_SENT, Asked, Sent
from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route
from gateway.hub.requests.validation import validate_request
from tests.grammar import responses as grammar

CASES = Path(__file__).parent / "cases"
CODEX = Sent({"originator": ["codex_exec"]})


def having(name: str) -> list[Any]:
    """Return the cases with a file, as parameters."""
    return [
        pytest.param(case, id=case.name)
        for case in sorted(CASES.glob("*/"))
        if (case / name).exists()
    ]


def read(case: Path, name: str) -> Any:
    return json.loads((case / name).read_text())


def asked_in(case: Path) -> tuple[Asked, Route]:
    """Return a case's request, and where it goes."""
    given = read(case, "route.json") if (case / "route.json").exists() else {}
    sent = CODEX if given.pop("codex", False) else NOTHING_SENT
    route = Route("alias", "upstream", **{
        "completion_id": "chatcmpl-0123456789012345678901",
        "created": 1_700_000_000,
        **given,
    })  # fmt: skip
    body = {"model": "alias", "input": "hi", **read(case, "request.json")}
    return responses.parse_request(body, sent), route


@pytest.mark.parametrize("case", having("hub_request.json"))
def test_a_request_becomes_the_hubs(case: Path) -> None:
    asked, route = asked_in(case)
    before = json.dumps(asked.body)
    hub = responses.hub_request(asked, route)
    expected = read(case, "hub_request.json")
    assert hub.body == {"model": "alias", **expected["body"]}
    assert list(hub.dropped) == expected.get("dropped", [])
    assert list(hub.downgraded) == expected.get("downgraded", [])
    assert json.dumps(asked.body) == before, "the request was mutated"
    validate_request(hub.body)


@pytest.mark.parametrize("case", having("error.json"))
def test_a_request_is_refused(case: Path) -> None:
    asked, route = asked_in(case)
    with pytest.raises(GatewayError) as refused:
        responses.hub_request(asked, route)
    error = refused.value
    assert {"status": error.status, **render_error(error)} == read(case, "error.json")


@pytest.mark.parametrize("case", having("response.json"))
def test_an_answer_becomes_a_response(case: Path) -> None:
    asked, route = asked_in(case)
    responses.hub_request(asked, route)
    message = read(case, "message.json")
    reason = message.pop("finish_reason", "stop")
    choice = {"index": 0, "message": message, "finish_reason": reason}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    response = responses.render_response({"choices": [choice], "usage": usage}, asked)
    expected = read(case, "response.json")
    assert {name: response[name] for name in expected} == expected
    Response.model_validate_json(json.dumps(response), strict=True)


@pytest.mark.parametrize("case", having("events.json"))
def test_a_stream_becomes_events(case: Path) -> None:
    asked, route = asked_in(case)
    responses.hub_request(asked, route)
    events = grammar.check(streamed(asked, read(case, "deltas.json")))
    told = [
        {name: event[name] for name in event if name != "sequence_number"}
        for event in events[2:-1]
    ]
    assert told == read(case, "events.json")


def streamed(asked: Asked, deltas: list[JSON]) -> bytes:
    """Return the stream of these deltas; one with `finish_reason` alone is the end."""
    renderer = responses.stream_renderer(asked)
    parts = []
    for delta in deltas:
        reason = delta.pop("finish_reason", None)
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        parts.append(renderer.render([{"choices": [choice]}]))
    return b"".join([*parts, renderer.end()])

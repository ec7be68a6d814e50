"""Runs the golden cases of the Messages door; cases/README.md explains their files."""

import json
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import Message

from gateway.doors import messages
from gateway.doors.protocol import Asked, Sent
from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from tests.at_once import at_once
from tests.grammar.messages import message_in

CASES = Path(__file__).parent / "cases"
ROUTE = {
    "model": "alias",
    "upstream_model": "upstream-model",
    "completion_id": "chatcmpl-test",
    "created": 1_700_000_000,
    "provider_type": "openai",
}
REQUEST = {
    "model": "alias",
    "max_tokens": 1000,
    "messages": [{"role": "user", "content": "hi"}],
}


def having(*names: str) -> list[Any]:
    """Return the cases that have all of the files `names`, as parameters."""
    return [
        pytest.param(case, id=case.name)
        for case in sorted(CASES.glob("*/"))
        if all((case / name).exists() for name in names)
    ]


def read(case: Path, name: str, default: Any = None) -> Any:
    path = case / name
    return json.loads(path.read_text()) if path.exists() else default


def asked_in(case: Path) -> Asked:
    body = REQUEST | read(case, "request.json", {})
    body = {name: value for name, value in body.items() if value is not None}
    return messages.parse_request(body, Sent({}, "req_1"))


def route_of(case: Path) -> Route:
    given = ROUTE | read(case, "route.json", {})
    return Route(**given | {"avoid": frozenset(given.get("avoid", ()))})


@at_once("case", having("hub_request.json"))
def test_a_request_reaches_the_hub(case: Path) -> None:
    asked = asked_in(case)
    before = json.dumps(asked.body)
    hub = messages.hub_request(asked, route_of(case))
    expected = read(case, "hub_request.json")
    for field, value in expected["body"].items():
        assert hub.body.get(field) == value, field
    for told in ("dropped", "downgraded", "stop"):
        assert list(getattr(hub, told)) == expected.get(told, [])
    assert json.dumps(asked.body) == before, "the request was mutated"
    assert messages.hub_request(asked, route_of(case)) == hub


@pytest.mark.parametrize("case", having("error.json"))
def test_a_request_is_refused(case: Path) -> None:
    with pytest.raises(GatewayError) as refused:
        messages.hub_request(asked_in(case), route_of(case))
    sent = Sent({}, "req_1")
    told = messages.render_error(refused.value, sent)
    assert told.pop("request_id") == "req_1"
    status = messages.status_of(refused.value, sent)
    assert {"status": status, **told} == {"type": "error"} | read(case, "error.json")


@pytest.mark.parametrize("case", having("completion.json"))
def test_an_answer_becomes_a_message(case: Path) -> None:
    message = messages.render_response(read(case, "completion.json"), asked_in(case))
    assert message == expected_message(case)
    Message.model_validate(message)


@pytest.mark.parametrize("case", having("chunks.json"))
def test_a_stream_becomes_events(case: Path) -> None:
    chunks = read(case, "chunks.json")
    whole = messages.stream_renderer(asked_in(case))
    frames = whole.render(chunks) + whole.end()
    single = messages.stream_renderer(asked_in(case))
    assert b"".join([single.render([c]) for c in chunks]) + single.end() == frames
    assert message_in(frames) == expected_message(case)


def expected_message(case: Path) -> dict[str, Any]:
    """Return the message, with what nearly all of them have."""
    expected = read(case, "message.json")
    usage = {
        "input_tokens": 9,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 2,
    }
    head = {
        "id": "msg_chatcmplx",
        "type": "message",
        "role": "assistant",
        "model": "alias",
        "stop_reason": "end_turn",
        "stop_sequence": None,
    }
    return {**head, **expected, "usage": usage | expected.get("usage", {})}


@at_once("case", having("."))
def test_every_case_runs_something(case: Path) -> None:
    names = {path.name for path in case.iterdir()}
    pairs = (
        {"request.json", "hub_request.json"},
        {"request.json", "error.json"},
        {"completion.json", "message.json"},
        {"chunks.json", "message.json"},
    )
    assert any(pair <= names for pair in pairs)

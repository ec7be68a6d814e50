"""Where agents' base URLs lead: targets as clients really write them."""

import json

import pytest

from tests.e2e import registries
from tests.e2e.raw import Connection, chat_body, request
from tests.faults import FaultServer

MODEL = "gpt"


@pytest.fixture(scope="module")
def gateway(server):
    with FaultServer() as upstream:
        yield server(registries.registry(registries.openai("up", upstream.url, MODEL)))


def asked(gateway, target: str, body: bytes | None = None):
    sent = request(gateway, chat_body(MODEL) if body is None else body)
    with Connection(gateway) as client:
        client.send(sent.replace(b"/v1/chat/completions", target.encode(), 1))
        return client.answer()


@pytest.mark.parametrize(
    "target",
    [
        "//v1/chat/completions",
        "/v1//chat/completions",
        "///v1///chat//completions",
        "//chat/completions",
        "/api//v1/chat/completions",
        "/v1/p/up//chat/completions",
        "http://gateway.example/v1/chat/completions",
        "HTTP://gateway.example:8080//v1/chat/completions",
        "/v1/chat/completions?api-version=2024-10-21",
    ],
)
def test_a_target_is_served_as_it_is_meant(gateway, target):
    answer = asked(gateway, target)
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["object"] == "chat.completion"


@pytest.mark.parametrize(
    "target",
    [
        "/v1",
        "/v1/",
        "/v1/completion",
        "//v1/unknown",
        "/chat",
        "/chat/completion",
        "/api/chat/x",
        "/api/v1/chat/x",
        "/p/up/unknown",
        "/api/v1/p/up/chat",
        "/v1/v1/p",
        "http://gateway.example/v1/unknown",
    ],
)
def test_below_a_door_nobody_is_told_in_a_web_page(gateway, target):
    answer = asked(gateway, target)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.code == "unknown_url"

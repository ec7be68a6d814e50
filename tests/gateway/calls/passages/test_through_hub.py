"""The way over the hub, from any door to any translator."""

from types import SimpleNamespace

from gateway.calls.passages.through_hub import ThroughHub, frames
from gateway.doors.protocol import Asked, HubRequest
from gateway.hub.protocol import Route
from gateway.translators import anthropic, ollama

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def counting_door():
    """A door that keeps what it was asked to read."""
    read = []

    def hub_request(asked, route):
        read.append(asked)
        return HubRequest(asked.body)

    return SimpleNamespace(hub_request=hub_request, read=read)


def test_a_request_is_read_once_however_often_it_is_looked_at():
    for translator in (anthropic, ollama):
        door = counting_door()
        passage = ThroughHub(door, translator, frames)
        prepared = passage.prepare(Asked("m", False, BODY), Route("m", "claude-opus-4"))
        assert list(prepared.remote_urls) == []
        assert prepared.render({}).body["messages"]
        assert len(door.read) == 1

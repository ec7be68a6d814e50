"""Ways of a call through the gateway, and upstreams that hang in each format.

Doors differ in how they read and write; who leaves, and a server that ends, are seen at
each of them. Streams are relayed where both sides speak the same format.
"""

import json
from typing import Any, NamedTuple

from tests import doors
from tests.e2e import registries
from tests.e2e.replay import Answer, Received, Replay, Reply

STREAM = {"content-type": "text/event-stream"}
HANGING = ("mute", "silent", "endless", "half")


class Way(NamedTuple):
    """A door, and the format that the upstream behind it speaks."""

    door: doors.ClientDoor
    upstream: str = "chat"

    def __str__(self) -> str:
        return f"{self.door.name} by {self.upstream}"

    @property
    def is_relayed(self) -> bool:
        """Whether clients get the upstream's own events."""
        return self.upstream == self.door.name != "chat"

    def model(self, name: str) -> str:
        """Return the model that does what a name says."""
        return f"{self.upstream}-{name}"


HUB = [Way(door) for door in doors.CONVERSING]
STREAMING = [*HUB, Way(doors.MESSAGES, "messages"), Way(doors.RESPONSES, "responses")]
EVERY = [*STREAMING, Way(doors.EMBEDDINGS), Way(doors.OLLAMA_EMBED)]


def chunk(text: str) -> bytes:
    """Return one event of OpenAI's stream."""
    delta = {"role": "assistant", "content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return sse({"id": "c", "choices": [choice]})


def sse(data: dict) -> bytes:
    """Return an event, with its name if it has one."""
    name = f"event: {data['type']}\n" if "type" in data else ""
    return f"{name}data: {json.dumps(data)}\n\n".encode()


def message(text: str) -> list[bytes]:
    """Return the first events of a message."""
    head = {"id": "m", "type": "message", "role": "assistant", "content": []}
    usage = {"input_tokens": 1, "output_tokens": 1}
    block = {"index": 0, "content_block": {"type": "text", "text": ""}}
    return [
        sse({"type": "message_start", "message": {**head, "usage": usage}}),
        sse({"type": "content_block_start", **block}) + words(text),
    ]


def words(text: str) -> bytes:
    """Return an event of a message that goes on."""
    delta = {"type": "text_delta", "text": text}
    return sse({"type": "content_block_delta", "index": 0, "delta": delta})


def spoken(text: str) -> bytes:
    """Return an event of a response that goes on."""
    return sse({"type": "response.output_text.delta", "delta": text})


BEGUN = {"id": "r", "object": "response", "status": "in_progress", "output": []}


def saying(text: str, count: int, **reply: Any) -> Answer:
    """Answer in the format that is asked for with so many words, without an end."""
    began = sse({"type": "response.created", "response": BEGUN})
    said = {
        "completions": [chunk(text)] * count,
        "messages": [*message(text), *[words(text)] * (count - 1)],
        "responses": [began, *[spoken(text)] * count],
    }

    def answer(received: Received) -> Reply:
        parts = said[received.path.rpartition("/")[2]]
        return Reply(200, parts, STREAM, **reply)

    return answer


def install(replay: Replay) -> None:
    """Let `replay` hang in all ways of `HANGING`, below their names."""
    replay.route("/mute", Reply(hold=True))
    replay.route("/silent", saying("One", 2, hold=True))
    replay.route("/endless", saying("word ", 3000, pause=0.02))
    whole = json.dumps({"id": "c", "object": "chat.completion"}).encode()[:20]
    replay.route("/half", Reply(200, [whole], {"x": "y"}, hold=True))


def speaking(upstream: Replay, name: str) -> list[registries.Provider]:
    """Return providers that behave alike and speak each their format."""
    url = f"{upstream.url}/{name}"
    chat, messages, responses = (
        f"{kind}-{name}" for kind in ("chat", "messages", "responses")
    )
    return [
        registries.openai(chat, url, chat, responses_api="off"),
        registries.anthropic(messages, url, messages),
        registries.openai(responses, url, responses, responses_api="on"),
    ]


def hanging(upstream: Replay) -> list[registries.Provider]:
    """Return a provider for each way to hang, in each format."""
    return [each for name in HANGING for each in speaking(upstream, name)]

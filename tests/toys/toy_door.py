"""The toy's door: how a client of its own asks, hears and is refused."""

from gateway.doors.protocol import Asked
from gateway.errors import GatewayError, invalid_request
from gateway.wire.jsontext import JSON


def parse_request(body: JSON) -> Asked:
    if not isinstance(body.get("who"), str):
        raise invalid_request("who is asked?", param="who")
    return Asked(body["who"], body.get("live") is True, body)


def hub_request(asked: Asked) -> JSON:
    messages = [{"role": "user", "content": asked.body["what"]}]
    return {"model": asked.model, "messages": messages, "stream": asked.stream}


def render_response(completion: JSON, asked: Asked) -> JSON:
    said = completion["choices"][0]["message"]["content"]
    return {"you": asked.body["what"], "me": said}


def render_error(error: GatewayError) -> JSON:
    return {"sorry": error.message, "about": error.param}


def stream_renderer(asked: Asked) -> "ToyRenderer":
    return ToyRenderer(asked)


class ToyRenderer:
    """Writes the answer as plain lines, and how many there were at the end."""

    media_type = "text/plain; charset=utf-8"
    keep_alive = b"...\n"

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._lines = 0

    def render(self, chunks: list[JSON]) -> bytes:
        texts = [
            choice["delta"].get("content") for c in chunks for choice in c["choices"]
        ]
        lines = [f"{text}\n" for text in texts if text]
        self._lines += len(lines)
        return "".join(lines).encode()

    def end(self) -> bytes:
        return f"that was {self._asked.body['what']}, {self._lines} lines\n".encode()

    def fail(self, error: GatewayError) -> bytes:
        return f"sorry, after {self._lines} lines: {error.message}\n".encode()

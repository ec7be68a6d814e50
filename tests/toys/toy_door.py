"""The toy's door: how a client of its own asks, hears and is refused."""

from gateway.doors.protocol import Asked, HubRequest, Sent
from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import Route
from gateway.wire.jsontext import JSON

NAME = "toy"
ESTIMATES_USAGE = False
KEEP_ALIVE = b"...\n"


def parse_request(body: JSON, sent: Sent) -> Asked:
    if not isinstance(body.get("who"), str):
        raise invalid_request("who is asked?", param="who", code="missing_who")
    return Asked(body["who"], body.get("live") is True, body)


def about(sent: Sent) -> dict[str, str]:
    return {"session_id": sent.header("x-toy-box")}


def hub_request(asked: Asked, route: Route) -> HubRequest:
    messages = [{"role": "user", "content": asked.body["what"]}]
    body = {"model": asked.model, "messages": messages, "stream": asked.stream}
    lost = ("mood",) if "mood" in asked.body else ()
    stop = (asked.body["until"],) if "until" in asked.body else ()
    return HubRequest(body, dropped=lost, stop=stop)


def render_response(completion: JSON, asked: Asked) -> JSON:
    said = completion["choices"][0]["message"]["content"]
    return {"you": asked.body["what"], "me": said}


def render_error(error: GatewayError, sent: Sent) -> JSON:
    return {"sorry": error.message, "about": error.param}


def status_of(error: GatewayError, sent: Sent) -> int:
    return 418 if error.code == "missing_who" else error.status


def answer_headers(headers: dict[str, str], sent: Sent) -> dict[str, str]:
    return {**headers, "x-toy": sent.request_id}


def stream_renderer(asked: Asked) -> "ToyRenderer":
    return ToyRenderer(asked)


class ToyRenderer:
    """Writes the answer as plain lines, and how many there were at the end."""

    media_type = "text/plain; charset=utf-8"

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._lines = 0

    def keep_alive(self, silent_for: float) -> bytes:
        return KEEP_ALIVE

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

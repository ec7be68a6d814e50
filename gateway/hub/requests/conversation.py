"""A conversation, message by message: what every format asks of each."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from gateway.errors import unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.tools.calls import Place, ToolCall
from gateway.hub.requests.tools.ids import calls_to_send, plain_id
from gateway.values import Value

Role = Literal["system", "user", "assistant", "tool"]

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}

_NO_CALL = ToolCall("", "", None)


class Message(Value, frozen=True):
    """One message of a valid request.

    A developer's `role` is the system's and a function's a tool's. `source` is the
    message as the client wrote it. An assistant's has its `calls`, a tool's the `call`
    that it answers and the place of it, both with the ids that are sent.
    """

    at: int
    role: Role
    source: JSON
    content: str | list[JSON] | None
    calls: Sequence[ToolCall] = ()
    call: ToolCall = _NO_CALL
    place: Place = (-1, -1)

    @property
    def param(self) -> str:
        """Its path in the request."""
        return f"messages[{self.at}]"

    @property
    def refusal(self) -> str | None:
        """What an assistant refused with, None where it did not."""
        refusal = self.source.get("refusal")
        return refusal if isinstance(refusal, str) else None


def walk(
    rendering: Rendering, rewrite: Callable[[str], str] = plain_id
) -> Iterator[Message]:
    """Yield the messages of a request; `rewrite` makes call ids fit the upstream."""
    results = rendering.results
    sent = calls_to_send(rendering.calls, rewrite)
    for index, message in enumerate(rendering.body["messages"]):
        role, content = _ROLES[message["role"]], message.get("content")
        if role == "assistant":
            yield Message(index, role, message, content, sent.get(index, ()))
        elif role == "tool":
            caller, position = place = results[index]
            call = sent[caller][position]
            yield Message(index, role, message, content, (), call, place)
        else:
            yield Message(index, role, message, content)


def check_text_only(message: Message) -> None:
    """Raise a 400 for a message with parts other than text."""
    if not isinstance(message.content, list):
        return
    for position, part in enumerate(message.content):
        if part["type"] not in ("text", "refusal"):
            path = f"{message.param}.content[{position}]"
            raise unsupported(
                f"Messages of role '{message.source['role']}' hold text only: move "
                f"'{path}' to a user message.",
                param=path,
            )


def check_silent(message: Message) -> None:
    """Raise a 400 for an assistant's message that was spoken."""
    if message.source.get("audio"):
        path = f"{message.param}.audio"
        raise unsupported(
            f"This model takes no audio: replace '{path}' by its transcript.",
            param=path,
        )

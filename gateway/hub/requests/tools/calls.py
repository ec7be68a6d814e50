"""The tool calls that a conversation holds."""

from gateway.hub.protocol import JSON
from gateway.values import Value

Place = tuple[int, int]
"""Where a call stands: the index of its message, and its position in the message."""


class ToolCall(Value, frozen=True):
    """One function call of an assistant message; `id` is empty where none was given."""

    id: str
    name: str
    arguments: str | JSON | None


_CALLS = frozenset({"tool_calls", "function_call"})


def may_call(message: JSON) -> bool:
    """Tell whether a message has a field for calls."""
    return not _CALLS.isdisjoint(message)


def calls_of(message: JSON) -> list[ToolCall]:
    """Return the calls of an assistant message, the legacy `function_call` last."""
    calls = [
        ToolCall(
            call.get("id") or "",
            call["function"]["name"],
            call["function"].get("arguments"),
        )
        for call in message.get("tool_calls") or ()
    ]
    legacy = message.get("function_call")
    if legacy:
        calls.append(ToolCall("", legacy["name"], legacy.get("arguments")))
    return calls


def calls_in(messages: list[JSON]) -> dict[int, list[ToolCall]]:
    """Return the calls of the messages that have any, by the index of the message."""
    return {
        index: calls
        for index, message in enumerate(messages)
        if message["role"] == "assistant"
        and may_call(message)
        and (calls := calls_of(message))
    }

"""Which call each tool result answers, by the rules of OpenAI's own API."""

from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any

from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import JSON
from gateway.hub.requests.tools.calls import Place, ToolCall

_ANSWERING = frozenset({"tool", "function"})


class _Waiting:
    """The calls that wait for a result; a request may hold thousands."""

    def __init__(self) -> None:
        self._calls: dict[Place, ToolCall] = {}
        self._by_id: dict[str, deque[Place]] = {}
        self._legacy: dict[str, deque[Place]] = {}
        self._others = 0

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def is_legacy(self) -> bool:
        """Whether all of them are of the older kind."""
        return not self._others

    def add(self, index: int, calls: list[ToolCall], newer: int) -> None:
        """Add the calls of an assistant message; those after `newer` are legacy."""
        for position, call in enumerate(calls):
            self._calls[index, position] = call
            if position >= newer:
                self._legacy.setdefault(call.name, deque()).append((index, position))
            else:
                self._others += 1
                self._by_id.setdefault(call.id, deque()).append((index, position))

    def answered(self, id: Any) -> Place | None:
        """Return the first call with this id, else the first without one."""
        for wanted in (id, ""):
            if isinstance(wanted, str) and self._by_id.get(wanted):
                place = self._by_id[wanted].popleft()
                self._others -= 1
                del self._calls[place]
                return place
        return None

    def answered_legacy(self, name: Any) -> Place | None:
        """Return the last call of the older kind with this name."""
        if not isinstance(name, str) or not self._legacy.get(name):
            return None
        place = self._legacy[name].pop()
        del self._calls[place]
        return place

    def refusal(self) -> GatewayError:
        """Return the 400 for calls that were left without a result."""
        (first, _) = next(iter(self._calls))
        named = ", ".join(
            call.id or call.name for call in islice(self._calls.values(), 10)
        )
        return invalid_request(
            "An assistant message with 'tool_calls' must be followed by one 'tool' "
            f"message for each 'tool_call_id'. Without a response: {named}.",
            param=f"messages[{first}]",
        )


def pair_results(
    messages: list[JSON], calls: Mapping[int, list[ToolCall]]
) -> dict[int, Place]:
    """Return, per index of a tool or function message, the call that it answers.

    `calls` are those of `messages` (see `calls_in`). Raises a 400 for a result without
    a call and for a call without a result, as OpenAI does. Calls without an id take
    results in their order.
    """
    if not calls and {each["role"] for each in messages}.isdisjoint(_ANSWERING):
        return {}
    pairs: dict[int, Place] = {}
    waiting = _Waiting()
    for index, message in enumerate(messages):
        role = message["role"]
        if role in _ANSWERING:
            pairs[index] = _answered_call(message, waiting, f"messages[{index}]")
            continue
        if waiting and (role != "assistant" or not waiting.is_legacy):
            raise waiting.refusal()
        if index in calls:
            waiting.add(index, calls[index], len(message.get("tool_calls") or ()))
    if waiting:
        raise waiting.refusal()
    return pairs


def _answered_call(message: JSON, waiting: _Waiting, param: str) -> Place:
    if message["role"] == "function":
        place = waiting.answered_legacy(message.get("name"))
        if place is None:
            raise invalid_request(
                f"'{param}' has role 'function' but no earlier assistant message with "
                "a 'function_call' of that name waits for a result.",
                param=param,
            )
        return place
    place = waiting.answered(message.get("tool_call_id"))
    if place is None:
        raise invalid_request(
            "Messages with role 'tool' must follow the assistant message whose "
            f"'tool_calls' contain their 'tool_call_id'; '{param}' answers none that "
            "is open.",
            param=param,
        )
    return place

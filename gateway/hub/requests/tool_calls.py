"""Tool calls and their results in a conversation: pairs, ids, names and arguments.

Ids and names must survive upstreams with narrower alphabets, and must come out the same
on every turn of a conversation: each is a pure function of what stands before it.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import JSON
from gateway.wire.jsontext import JSONError, decode, dumps

# --- calls and results in the history -------------------------------------------------


class Call(NamedTuple):
    """One function call of an assistant message; `id` is empty where none was given."""

    id: str
    name: str
    arguments: str | JSON | None


def calls_of(message: JSON) -> list[Call]:
    """Return the calls of an assistant message, the legacy `function_call` last."""
    calls = [
        Call(
            call.get("id") or "",
            call["function"]["name"],
            call["function"].get("arguments"),
        )
        for call in message.get("tool_calls") or ()
    ]
    legacy = message.get("function_call")
    if legacy:
        calls.append(Call("", legacy["name"], legacy.get("arguments")))
    return calls


def calls_by_place(messages: list[JSON]) -> dict[tuple[int, int], Call]:
    """Return every call by the index of its message and its position in it."""
    return {
        (index, position): call
        for index, message in enumerate(messages)
        if message["role"] == "assistant"
        for position, call in enumerate(calls_of(message))
    }


class _Waiting:
    """The calls that wait for a result; a request may hold thousands."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, int], Call] = {}
        self._by_id: dict[str, deque[tuple[int, int]]] = {}
        self._legacy: dict[str, deque[tuple[int, int]]] = {}
        self._others = 0

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def is_legacy(self) -> bool:
        """Whether all of them are of the older kind."""
        return not self._others

    def add(self, index: int, message: JSON) -> None:
        """Add the calls of an assistant message."""
        tool_calls = len(message.get("tool_calls") or ())
        for position, call in enumerate(calls_of(message)):
            self._calls[index, position] = call
            if position >= tool_calls:
                self._legacy.setdefault(call.name, deque()).append((index, position))
            else:
                self._others += 1
                self._by_id.setdefault(call.id, deque()).append((index, position))

    def answered(self, id: Any) -> tuple[int, int] | None:
        """Return the first call with this id, else the first without one."""
        for wanted in (id, ""):
            if isinstance(wanted, str) and self._by_id.get(wanted):
                place = self._by_id[wanted].popleft()
                self._others -= 1
                del self._calls[place]
                return place
        return None

    def answered_legacy(self, name: Any) -> tuple[int, int] | None:
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


def pair_results(messages: list[JSON]) -> dict[int, tuple[int, int]]:
    """Return, per index of a tool or function message, the call that it answers.

    A call is given by the index of its assistant message and its position in
    `calls_of`. Raises a 400 for a result without a call and for a call without a
    result, as OpenAI does. Calls without an id take results in their order.
    """
    pairs: dict[int, tuple[int, int]] = {}
    waiting = _Waiting()
    for index, message in enumerate(messages):
        role = message["role"]
        if role in ("tool", "function"):
            pairs[index] = _answered_call(message, waiting, f"messages[{index}]")
            continue
        if waiting and (role != "assistant" or not waiting.is_legacy):
            raise waiting.refusal()
        if role == "assistant":
            waiting.add(index, message)
    if waiting:
        raise waiting.refusal()
    return pairs


def _answered_call(message: JSON, waiting: _Waiting, param: str) -> tuple[int, int]:
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


def historic_names(messages: list[JSON]) -> list[str]:
    """Return the distinct names of the tools called in `messages`, in their order."""
    names: dict[str, None] = {}
    for message in messages:
        if message["role"] == "assistant":
            for call in calls_of(message):
                names[call.name] = None
    return list(names)


# --- ids ------------------------------------------------------------------------------

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_is_token = re.compile(r"[a-zA-Z0-9_-]+").fullmatch
_is_mistral_id = re.compile(r"[a-zA-Z0-9]{9}").fullmatch
_replace_bad = re.compile(r"[^a-zA-Z0-9_-]").sub


def claude_id(id: str) -> str:
    """Return `id` in Claude's alphabet, unchanged where it already is."""
    if _is_token(id):
        return id
    return f"{_replace_bad('_', id)[:50]}_{_hash(id)[:8]}"


def converse_id(id: str) -> str:
    """Return `id` as a Converse `ToolUseId`: Claude's alphabet, 1 to 64 characters."""
    if len(id) <= 64 and _is_token(id):
        return id
    return f"{_replace_bad('_', id)[:50]}_{_hash(id)[:8]}"


def mistral_id(id: str) -> str:
    """Return `id` as Mistral's chat format wants it: nine letters or digits."""
    if _is_mistral_id(id):
        return id
    number = int.from_bytes(sha256(id.encode()).digest(), "big")
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))[:9]


def call_ids(
    messages: list[JSON], rewrite: Callable[[str], str] = claude_id
) -> dict[tuple[int, int], str]:
    """Return the id to send for each call, by message index and position.

    Every id is unique in the conversation: one that a later call uses again gets the
    ordinal of its use appended, because upstreams look results up by id alone. Missing
    ids are made up from the call's place. Appending messages changes no id.
    """
    ids: dict[tuple[int, int], str] = {}
    uses: dict[str, int] = {}
    seen: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        for position, call in enumerate(calls_of(message)):
            original = call.id or f"call_{index}_{position}"
            base = candidate = rewrite(original)
            use = uses.get(original, 0) + 1
            if use > 1:
                candidate = rewrite(f"{base}_{use}")
            while candidate in seen:
                use += 1
                candidate = rewrite(f"{base}_{use}")
            uses[original] = use
            seen.add(candidate)
            ids[index, position] = candidate
    return ids


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def made_up_id(completion_id: str, ordinal: int) -> str:
    """Return an id for the call of an answer whose upstream gave none.

    The same for one answer however often it is parsed, another for every answer.
    """
    return f"call_{_hash(f'{completion_id}:{ordinal}')[:24]}"


# --- names ----------------------------------------------------------------------------


class ToolNames:
    """Names in the upstream's alphabet, and the way back.

    Claude, Converse and OpenAI itself take ``[a-zA-Z0-9_-]{1,64}``; clients name tools
    after packages and paths all the same.
    """

    def __init__(self) -> None:
        self.originals: dict[str, str] = {}
        """Upstream name to the client's where they differ, for `Reply.tool_names`."""

    def upstream(self, name: str) -> str:
        """Return the name to send for `name`."""
        if len(name) <= 64 and _is_token(name):
            return name
        sent = f"{_replace_bad('_', name)[:57]}_{_hash(name)[:6]}"
        self.originals[sent] = name
        return sent


# --- arguments ------------------------------------------------------------------------

_DEEPEST = 200
"""Levels of nesting up to which arguments are sent as an object: encoders recurse."""


def parse_arguments(arguments: str | JSON | None) -> JSON:
    """Return a call's arguments as the object that upstreams want; never raises.

    Models write broken JSON now and then, and a conversation must survive it: what is
    not an object is wrapped, what is not JSON is kept as text.
    """
    if isinstance(arguments, dict):
        return arguments
    if arguments is None or not arguments.strip():
        return {}
    try:
        value = decode(arguments)
    except JSONError:
        return {"_raw_arguments": arguments}
    if arguments.count("{") + arguments.count("[") > _DEEPEST and _is_deep(value):
        return {"_raw_arguments": arguments}
    return value if isinstance(value, dict) else {"value": value}


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def dump_arguments(value: Any) -> str:
    """Return a call's input as OpenAI's `arguments`: compact JSON text."""
    return dumps(value if value is not None else {})

"""The choices of a stream: pieces to pieces, made regular.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from typing import Any

from gateway.hub.answers.calls.streamed import StreamedCalls
from gateway.hub.answers.finish_reasons import put_called
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai.choices import (
    failure_of,
    put_finish_reason,
    with_both_names,
)
from gateway.translators.openai.parts import with_plain_content

_TEXTS = frozenset({"role", "content", "refusal", "reasoning_content", "reasoning"})
"""Fields of a delta that need no look: strings, or null."""

_LIKE_LENGTH = ("length", "content_filter")


class _Choice:
    """What one choice told so far."""

    __slots__ = ("_reply", "calls", "function", "listed", "says")

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.calls: StreamedCalls | None = None
        self.function: StreamedCalls | None = None
        """The one call in the older way of `function_call`."""
        self.listed: dict[str, int] = {}
        """How many entries each list has got; clients merge them by `index`."""
        self.says = False
        """Whether it told more than the role."""

    @property
    def is_whole(self) -> bool:
        """Whether it told something, and no call was cut off."""
        calls = [calls for calls in (self.calls, self.function) if calls is not None]
        return self.says and all(each.are_whole for each in calls)

    def read_calls(self, calls: Any) -> list[JSON]:
        if self.calls is None:
            self.calls = StreamedCalls(self._reply)
        return self.calls.read(calls)

    def read_function(self, function: Any) -> JSON | None:
        """Return the piece of `function_call` to send, None where there is none."""
        if self.function is None:
            self.function = StreamedCalls(self._reply)
        # It has no id, and needs none: with one nothing is held back.
        piece = {"index": 0, "id": "function_call", "function": function}
        pieces = self.function.read([piece])
        return pieces[0]["function"] if pieces and pieces[0]["index"] == 0 else None


class StreamedChoices:
    """The choices of one stream: each tells the role once and ends once."""

    def __init__(self, reply: Reply) -> None:
        self.running: set[int] = set()
        self.ended: set[int] = set()
        self._reply = reply
        self._alias = bool(reply.options.get("reasoning_alias"))
        self._choices: dict[int, _Choice] = {}

    def read(self, choice: Any) -> bool:
        """Make a piece of a choice regular, in place; return whether it says anything.

        Raises `GatewayError` (502 unless the piece says better) where it is none.
        """
        delta = choice.get("delta") if type(choice) is dict else ""
        if not delta and delta != "":
            # A server that does not stream tells the whole message.
            delta = choice["delta"] = choice.pop("message", None) or {}
        if type(delta) is not dict:
            raise upstream_errors.no_answer("has a chunk that is malformed")
        index = choice.get("index")
        if type(index) is not int:
            index = choice["index"] = 0
        if index in self.running or index in self.ended:
            known = self._choices[index]
            if "role" in delta:
                del delta["role"]
        else:
            self.running.add(index)
            known = self._choices[index] = _Choice(self._reply)
            if not delta.get("role"):
                delta = choice["delta"] = {**delta, "role": "assistant"}
        if not _TEXTS.issuperset(delta) or type(delta.get("content")) is list:
            delta = choice["delta"] = self._regular(delta, known)
            if not delta and choice.get("finish_reason") is None:
                return False
        if self._alias:
            delta = choice["delta"] = with_both_names(delta)
        if not known.says:
            known.says = any(delta[key] for key in delta if key != "role")
        if choice.get("finish_reason") is None and "finish_details" not in choice:
            return index in self.running or any(delta.values())
        return self._end(index, choice, known) or any(delta.values())

    def says_text(self, index: int) -> None:
        """Note that a running choice told a piece of text that did not pass here."""
        self._choices[index].says = True

    def complete(self) -> list[JSON]:
        """End the choices that told something and no reason to end; return the ends.

        Raises `GatewayError` where one of them cannot be complete.
        """
        ends = []
        for index in sorted(self.running):
            known = self._choices[index]
            if not known.is_whole:
                raise upstream_errors.truncated()
            end: JSON = {"index": index, "delta": {}, "finish_reason": "stop"}
            self._end(index, end, known)
            # Nobody said it: there is no native word.
            end.pop("native_finish_reason", None)
            ends.append(end)
        return ends

    def _regular(self, delta: JSON, known: _Choice) -> JSON:
        """Return a delta with regular calls, numbered lists and content that is text.

        A list of calls that says nothing new is left out.
        """
        if type(delta.get("content")) is list:
            delta = with_plain_content(delta)
        calls = delta.get("tool_calls")
        if calls:
            delta["tool_calls"] = known.read_calls(calls)
            if not delta["tool_calls"]:
                del delta["tool_calls"]
        function = delta.get("function_call")
        if function:
            delta["function_call"] = known.read_function(function)
            if not delta["function_call"]:
                del delta["function_call"]
        for name in delta:
            entries = delta[name]
            if type(entries) is list and name != "tool_calls":
                _number(name, entries, known.listed)
        return delta

    def _end(self, index: int, choice: JSON, known: _Choice) -> bool:
        """Note that a choice ended; return whether this is news."""
        if (error := failure_of(choice)) is not None:
            raise error
        put_finish_reason(choice)
        if choice["finish_reason"] is None:
            return index in self.running
        if index in self.ended:
            return False
        self.running.discard(index)
        self.ended.add(index)
        self._end_calls(choice, known)
        return True

    def _end_calls(self, choice: JSON, known: _Choice) -> None:
        """Tell what is missing of the calls, and that they are the reason to end."""
        if known.calls is None and known.function is None:
            return
        delta, is_cut_off = choice["delta"], choice["finish_reason"] in _LIKE_LENGTH
        calls, function = known.calls, known.function
        if calls is not None and (rest := calls.end(is_cut_off=is_cut_off)):
            delta["tool_calls"] = delta.get("tool_calls", []) + rest
        if function is not None and (rest := function.end(is_cut_off=is_cut_off)):
            said = delta.get("function_call") or {}
            delta["function_call"] = {**said, **rest[0]["function"]}
        put_called(
            choice,
            self._reply,
            has_calls=bool(calls),
            has_function=bool(function),
        )


def _number(name: str, entries: list[Any], listed: dict[str, int]) -> None:
    """Give the entries of a list an index each, in place, where they lack one."""
    for entry in entries:
        if type(entry) is not dict:
            continue
        place = entry.get("index")
        if type(place) is not int:
            place = entry["index"] = listed.get(name, 0)
        listed[name] = max(listed.get(name, 0), place + 1)

"""What is done to any answer after parsing, for all translators alike.

The rules work on OpenAI's objects, whole and streamed: names of tools and of their
arguments are mapped back, the hidden JSON tool becomes content, stop sequences that the
upstream does not know are emulated, code fences stripped, parallel tool calls cut to
the first, the older `function_call` restored, and reasoning left out that nobody wants
to see. Which of them hold, the `Reply` says.
"""

from typing import Any

from gateway.hub.answers.calls.renamed import HeldArguments, restored
from gateway.hub.answers.chunks import Chunks
from gateway.hub.answers.text_rules import FenceStripper, StopCutter
from gateway.hub.protocol import JSON, PausingParser, Reply, StreamParser

__all__ = ["stream", "whole"]

_REASONING = frozenset({"reasoning_content", "reasoning"})
_REASONING_LISTS = frozenset({"reasoning_details", "thinking_blocks", "content_parts"})
_OTHER_PARTS = frozenset({"text", "output_text"})
"""Kinds of parts in `content_parts` whose text is the answer's."""


def stream(parser: StreamParser, reply: Reply) -> StreamParser:
    """Return `parser`, wrapped where `reply` names a rule."""
    if reply.hides_reasoning:
        parser = _SilentStream(parser)
    return RuledStream(parser, reply) if _has_rules(reply) else parser


def whole(completion: JSON, reply: Reply) -> JSON:
    """Return a `chat.completion` after the rules; `completion` is not changed."""
    if reply.hides_reasoning:
        choices = [
            {**choice, "message": _without_reasoning(choice["message"])}
            for choice in completion["choices"]
        ]
        completion = {**completion, "choices": choices}
    if not _has_rules(reply):
        return completion
    choice = completion["choices"][0]
    message = dict(choice["message"])
    finish = choice["finish_reason"]
    calls, content = _whole_calls(message.pop("tool_calls", None) or [], reply)
    if content is None and message["content"]:
        text = _TextRules(reply)
        content = text.feed(message["content"]) + text.close()
        if text.stopped:
            calls, finish = [], "stop"
    if content is not None:
        message["content"] = content
    if calls and reply.legacy_functions:
        message["function_call"] = calls[0]["function"]
    elif calls:
        message["tool_calls"] = calls
    finish = _finish(finish, bool(calls), reply)
    choice = {**choice, "message": message, "finish_reason": finish}
    return {**completion, "choices": [choice]}


def _has_rules(reply: Reply) -> bool:
    return bool(
        reply.tool_names
        or reply.argument_names
        or reply.json_tool
        or reply.strip_fence
        or reply.stop
        or reply.single_tool_call
        or reply.legacy_functions
    )


def _whole_calls(calls: list[JSON], reply: Reply) -> tuple[list[JSON], str | None]:
    """Return the calls that the client sees, and the JSON tool's input if called."""
    visible: list[JSON] = []
    content: str | None = None
    for call in calls:
        function = call["function"]
        if names := reply.argument_names.get(function["name"]):
            arguments = restored(function["arguments"], names)
            function = {**function, "arguments": arguments}
        if reply.json_tool and function["name"] == reply.json_tool:
            content = function["arguments"] if content is None else content
            continue
        name = reply.tool_names.get(function["name"], function["name"])
        visible.append({**call, "function": {**function, "name": name}})
    if reply.single_tool_call or reply.legacy_functions:
        visible = visible[:1]
    return visible, content


def _finish(reason: str, called: bool, reply: Reply) -> str:
    if reason != "tool_calls":
        return reason
    if not called:
        return "stop"
    return "function_call" if reply.legacy_functions else reason


class _TextRules:
    """The rules about text, in the order in which a model would meet them."""

    def __init__(self, reply: Reply) -> None:
        self._cutter = StopCutter(reply.stop) if reply.stop else None
        self._stripper = FenceStripper() if reply.strip_fence else None

    @property
    def stopped(self) -> bool:
        return self._cutter is not None and self._cutter.stopped

    def feed(self, text: str) -> str:
        if self._cutter is not None:
            text = self._cutter.feed(text)
        if self._stripper is not None:
            text = self._stripper.feed(text)
        return text

    def close(self) -> str:
        text = ""
        if self._cutter is not None and not self._cutter.stopped:
            text = self._cutter.close()
        if self._stripper is not None:
            text = self._stripper.feed(text) + self._stripper.close()
        return text


def _without_reasoning(message: JSON) -> JSON:
    """Return a message or delta without the reasoning that a client can read.

    What only a provider can read (signatures, what it encrypted) stays: the next turn
    may need it. https://openrouter.ai/docs/use-cases/reasoning-tokens
    """
    kept = {key: message[key] for key in message if key not in _REASONING}
    for name in _REASONING_LISTS.intersection(kept):
        entries = kept[name] if isinstance(kept[name], list) else []
        kept[name] = [entry for entry in entries if not _shows_reasoning(entry)]
        if not kept[name]:
            del kept[name]
    return kept


def _shows_reasoning(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    if "type" in entry and entry["type"] in _OTHER_PARTS:
        return False
    return any(entry.get(name) for name in ("thinking", "text", "summary"))


class _SilentStream:
    """A stream parser whose chunks tell no reasoning."""

    def __init__(self, parser: StreamParser) -> None:
        self.state = parser.state
        self._parser = parser

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks completed by `data`."""
        return self._silent(self._parser.feed(data))

    def close(self) -> list[JSON]:
        """Return the last chunks at the upstream's end of input."""
        return self._silent(self._parser.close())

    def resume(self, reply: Reply) -> None:
        """Expect the stream that goes on with an answer that paused."""
        if isinstance(self._parser, PausingParser):
            self._parser.resume(reply)

    def _silent(self, chunks: list[JSON]) -> list[JSON]:
        return [chunk for chunk in chunks if self._says(chunk)]

    @staticmethod
    def _says(chunk: JSON) -> bool:
        """Take the reasoning out of `chunk`; tell whether it says anything else."""
        says = not chunk["choices"]
        for choice in chunk["choices"]:
            delta = choice["delta"]
            choice["delta"] = _without_reasoning(delta)
            is_emptied = bool(delta) and not choice["delta"]
            says = says or not is_emptied or choice.get("finish_reason") is not None
        return says


class RuledStream:
    """A stream parser whose chunks went through the rules.

    Its state is that of the parser below. When an emulated stop sequence ends the
    answer, it is done before the upstream's own end, so that the caller closes it.
    """

    def __init__(self, parser: StreamParser, reply: Reply) -> None:
        self.state = parser.state
        self._parser = parser
        self._reply = reply
        self._text = _TextRules(reply)
        self._json_index: int | None = None
        self._waiting = ""
        self._indexes: dict[int, int | None] = {}
        self._held: dict[int, HeldArguments] = {}
        self._called = False

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks completed by `data`."""
        return self._ruled(self._parser.feed(data))

    def close(self) -> list[JSON]:
        """Return the last chunks at the upstream's end of input."""
        return self._ruled(self._parser.close())

    def resume(self, reply: Reply) -> None:
        """Expect the stream that goes on with an answer that paused."""
        if isinstance(self._parser, PausingParser):
            self._parser.resume(reply)

    def _ruled(self, chunks: list[JSON]) -> list[JSON]:
        out: list[JSON] = []
        for chunk in chunks:
            self._rule(chunk, out)
            if self._text.stopped:
                self._stop(chunk, out)
                break
        return out

    def _rule(self, chunk: JSON, out: list[JSON]) -> None:
        """Append what remains of `chunk`, which is the parser's own making."""
        if not chunk["choices"]:
            out.append(chunk)
            return
        choice = chunk["choices"][0]
        delta = choice["delta"]
        empty = not delta
        text = delta.pop("content", None) or ""
        calls = delta.pop("tool_calls", None)
        shown = self._shown(text) if text else ""
        if calls:
            shown += self._rule_calls(calls, delta)
        finish = choice.get("finish_reason")
        if finish is not None and not self._text.stopped:
            shown += self._arguments_left(chunk, out) + self._rest()
            choice["finish_reason"] = _finish(finish, self._called, self._reply)
        if shown and finish is not None:
            out.append(_with_delta(chunk, {"content": shown}))
        elif shown or "role" in delta:
            delta["content"] = shown
        if self._text.stopped:
            choice["finish_reason"] = None
            if delta:
                out.append(chunk)
        elif delta or finish is not None or empty:
            out.append(chunk)

    def _shown(self, text: str) -> str:
        if self._reply.json_tool:
            # Whether this text or the tool's input is the answer shows at the end.
            if self._json_index is None:
                self._waiting += text
            return ""
        return self._text.feed(text)

    def _rest(self) -> str:
        waiting, self._waiting = self._waiting, ""
        if self._json_index is not None:
            return ""
        text = self._text.feed(waiting) if waiting else ""
        return text + self._text.close()

    def _rule_calls(self, calls: list[JSON], delta: JSON) -> str:
        """Put the visible calls into `delta`; return the JSON tool's input."""
        content = ""
        visible: list[JSON] = []
        for call in calls:
            upstream = call["index"]
            function = call["function"]
            if "id" in call:
                self._begin(upstream, function["name"])
            if (held := self._held.get(upstream)) is not None:
                arguments = held.feed(function.get("arguments") or "")
                if not arguments and "id" not in call:
                    continue
                function = {**function, "arguments": arguments}
            if upstream == self._json_index:
                content += function.get("arguments") or ""
                continue
            index = self._indexes.get(upstream)
            if index is None:
                continue
            if name := function.get("name"):
                name = self._reply.tool_names.get(name, name)
                function = {**function, "name": name}
            visible.append({**call, "index": index, "function": function})
        if visible:
            delta |= self._told(visible)
        return content

    def _told(self, calls: list[JSON]) -> JSON:
        """Return what a delta says of pieces of calls that the client sees."""
        if self._reply.legacy_functions:
            return {"function_call": calls[0]["function"]}
        return {"tool_calls": calls}

    def _arguments_left(self, chunk: JSON, out: list[JSON]) -> str:
        """Append held arguments that never became whole; return the JSON tool's."""
        content = ""
        for upstream, held in self._held.items():
            arguments = held.close()
            if upstream == self._json_index:
                content += arguments
            elif arguments and (index := self._indexes.get(upstream)) is not None:
                piece = {"index": index, "function": {"arguments": arguments}}
                out.append(_with_delta(chunk, self._told([piece])))
        return content

    def _begin(self, upstream: int, name: str) -> None:
        """Give a new call its place among those that the client sees, or none."""
        if names := self._reply.argument_names.get(name):
            self._held[upstream] = HeldArguments(names)
        if self._reply.json_tool and name == self._reply.json_tool:
            if self._json_index is None:
                self._json_index = upstream
            else:
                self._indexes[upstream] = None
            return
        single = self._reply.single_tool_call or self._reply.legacy_functions
        if single and self._called:
            self._indexes[upstream] = None
            return
        self._called = True
        seen = [index for index in self._indexes.values() if index is not None]
        self._indexes[upstream] = len(seen)

    def _stop(self, chunk: JSON, out: list[JSON]) -> None:
        """End the answer at an emulated stop sequence."""
        self._arguments_left(chunk, out)
        if rest := self._text.close():
            out.append(_with_delta(chunk, {"content": rest}))
        chunks = Chunks(self._reply, id=chunk["id"], created=chunk["created"])
        reason = _finish("tool_calls", self._called, self._reply)
        out.append(chunks.finish(reason))
        usage = self.state.usage
        if self._reply.include_usage and usage is not None:
            out.append(chunks.usage(usage))
        # Whatever stood behind the stop in the same read did not happen.
        self.state.done, self.state.error, self.state.paused = True, None, None


def _with_delta(chunk: JSON, delta: JSON) -> JSON:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {**chunk, "choices": [choice]}

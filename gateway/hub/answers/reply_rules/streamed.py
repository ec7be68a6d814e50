"""The rules for a streamed answer."""

from gateway.hub.answers.calls.renamed import HeldArguments
from gateway.hub.answers.chunks import Chunks
from gateway.hub.answers.reply_rules.texts import TextRules
from gateway.hub.answers.reply_rules.whole import finish_reason
from gateway.hub.protocol import JSON, PausingParser, Reply, StreamParser


class RuledStream:
    """A stream parser whose chunks went through the rules.

    Its state is that of the parser below. When an emulated stop sequence ends the
    answer, it is done before the upstream's own end, so that the caller closes it.
    """

    def __init__(self, parser: StreamParser, reply: Reply) -> None:
        self.state = parser.state
        self._parser = parser
        self._reply = reply
        self._text = TextRules(reply)
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
        if not isinstance(delta.get("content"), str | None):
            # What is no text goes as it came, as in a whole answer.
            out.append(chunk)
            return
        empty = not delta
        text = delta.pop("content", None) or ""
        calls = delta.pop("tool_calls", None)
        shown = self._shown(text) if text else ""
        if calls:
            shown += self._rule_calls(calls, delta)
        finish = choice.get("finish_reason")
        if finish is not None and not self._text.stopped:
            shown += self._arguments_left(chunk, out) + self._rest()
            choice["finish_reason"] = finish_reason(finish, self._called, self._reply)
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
        reason = finish_reason("tool_calls", self._called, self._reply)
        end = chunks.finish(reason)
        if self._reply.tells_stop:
            end["choices"][0]["stop_sequence"] = self._text.stop
        out.append(end)
        usage = self.state.usage
        if self._reply.include_usage and usage is not None:
            out.append(chunks.usage(usage))
        # Whatever stood behind the stop in the same read did not happen.
        self.state.done, self.state.error, self.state.paused = True, None, None


def _with_delta(chunk: JSON, delta: JSON) -> JSON:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {**chunk, "choices": [choice]}

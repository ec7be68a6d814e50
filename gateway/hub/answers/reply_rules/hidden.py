"""Answers without the reasoning that a client does not want to see."""

from typing import Any

from gateway.hub.protocol import JSON, PausingParser, Reply, StreamParser

_REASONING = frozenset({"reasoning_content", "reasoning"})
_REASONING_LISTS = frozenset({"reasoning_details", "thinking_blocks", "content_parts"})
_OTHER_PARTS = frozenset({"text", "output_text"})
"""Kinds of parts in `content_parts` whose text is the answer's."""


def without_reasoning(message: JSON) -> JSON:
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


class SilentStream:
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
            choice["delta"] = without_reasoning(delta)
            is_emptied = bool(delta) and not choice["delta"]
            says = says or not is_emptied or choice.get("finish_reason") is not None
        return says

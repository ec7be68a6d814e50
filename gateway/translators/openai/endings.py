"""The ends of a stream's choices, held back until nothing more can belong to them.

Behind the chunk with the reason some servers tell more: Azure what its content filter
found, which may even end the answer for another reason, others citations or timings.
https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming
"""

from gateway.hub.protocol import JSON

_ENVELOPE = frozenset({"id", "object", "created", "model", "choices", "usage"})
_CHOICE = frozenset({"index", "delta", "finish_reason"})


class HeldEndings:
    """Chunks that end a choice each, until `release`."""

    def __init__(self) -> None:
        self._chunks: list[JSON] = []

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def hold(self, chunk: JSON, ended: set[int]) -> list[JSON]:
        """Take a chunk of which some choices have `ended`; return what may leave."""
        choices = chunk["choices"]
        if len(choices) == 1:
            self._chunks.append(chunk)
            return []
        self._chunks += [
            _with(chunk, each) for each in choices if each["index"] in ended
        ]
        return [_with(chunk, each) for each in choices if each["index"] not in ended]

    def add(self, chunk: JSON) -> list[JSON]:
        """Put what a later chunk tells to the ends it belongs to.

        Returns what must leave before them: text and other pieces of an answer.
        """
        out: list[JSON] = []
        for choice in chunk["choices"]:
            held = self._of(choice["index"])
            if held is None:
                out.append(_with(chunk, choice))
            elif any(choice["delta"].values()):
                out += self._split(held)
                reason = choice.get("finish_reason")
                out.append(_with(chunk, {**choice, "finish_reason": None}))
                _put_reason(held["choices"][0], reason)
            else:
                _merge(held, chunk, choice)
        if not chunk["choices"]:
            self.add_fields(chunk)
        return out

    def add_fields(self, chunk: JSON) -> None:
        """Put the fields of a chunk that concern the whole answer to its end."""
        _merge_fields(self._chunks[-1], chunk)

    def release(self) -> list[JSON]:
        """Return the ends."""
        chunks, self._chunks = self._chunks, []
        return chunks

    def _of(self, index: int) -> JSON | None:
        for chunk in self._chunks:
            if chunk["choices"][0]["index"] == index:
                return chunk
        return None

    @staticmethod
    def _split(held: JSON) -> list[JSON]:
        """Take the piece of the answer that came with an end away from it."""
        choice = held["choices"][0]
        delta = choice["delta"]
        if not delta:
            return []
        piece = {"index": choice["index"], "delta": delta, "finish_reason": None}
        choice["delta"] = {}
        return [_with(held, piece)]


def _with(chunk: JSON, choice: JSON) -> JSON:
    return {**chunk, "choices": [choice]}


def _merge(held: JSON, chunk: JSON, choice: JSON) -> None:
    own = held["choices"][0]
    own.update({key: choice[key] for key in choice if key not in _CHOICE})
    _put_reason(own, choice.get("finish_reason"))
    _merge_fields(held, chunk)


def _merge_fields(held: JSON, chunk: JSON) -> None:
    held.update({key: chunk[key] for key in chunk if key not in _ENVELOPE})


def _put_reason(choice: JSON, reason: object) -> None:
    """Let a content filter's late word win: the text before it was cut off."""
    if reason == "content_filter":
        choice["finish_reason"] = reason

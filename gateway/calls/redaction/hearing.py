"""What the events of a stream say, where who passed them on has not read it.

Events that are alike (gateway/hub/answers/plain/alike.py) are read by their bytes.
"""

from itertools import islice, takewhile
from typing import Any

from gateway.calls.redaction import events
from gateway.hub.answers.plain.alike import Alike
from gateway.hub.answers.relay import Said


class Hearing:
    """Reads what is said in one stream."""

    def __init__(self) -> None:
        self._alike: Alike | None = None

    def said(self, data: Any) -> Said:
        """Return the text of each field that a piece of the stream brings."""
        if not isinstance(data, bytes):
            return events.said(data)
        said = self._alike.said(data) if self._alike is not None else None
        return self._in_runs(data) if said is None else said

    def _in_runs(self, data: bytes) -> Said:
        """Return what is said in events of which not all are alike."""
        texts: Said = {}
        frames, start = _frames(data), 0
        while start < len(frames):
            end = start + 1
            if known := self._alike:
                alike = takewhile(known.may_be, islice(frames, start, None))
                end = max(end, start + sum(1 for _ in alike))
            run = b"".join(frames[start:end])
            said = known.said(run) if known else None
            if said is None:
                said = self._decoded(run)
            for name, text in said.items():
                texts[name] = texts.get(name, "") + text
            start = end
        return texts

    def _decoded(self, run: bytes) -> Said:
        """Return what is said in events, and learn how one of them looks."""
        said: Said = {}
        strings = events.strings_of(run)
        for name, text, _ in strings:
            said[name] = said.get(name, "") + text
        last = run[run.rfind(b"\n\n", 0, -2) + 2 :] if run.count(b"\n\n") > 1 else run
        own = strings if last is run else events.strings_of(last)
        if len(own) == 1:
            ((name, _, key),) = own
            self._alike = Alike.like(last, name, key.encode()) or self._alike
        return said


def _frames(data: bytes) -> list[bytes]:
    if data.endswith(b"\n\n") and not data.startswith(b"{"):
        return [frame + b"\n\n" for frame in data[:-2].split(b"\n\n")]
    return events.frames_of(data)

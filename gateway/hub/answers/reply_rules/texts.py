"""Emulated stop sequences and stripped code fences.

Both see the text in pieces and hold back only what the next piece may decide; fed in
one piece they treat a whole answer, so that both ways agree.
"""

import re

from gateway.hub.protocol import Reply


class StopCutter:
    """Ends the text where the first of `stops` is complete, like a model that obeys."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held = ""
        self.found = ""
        """The sequence that ended the text."""

    @property
    def stopped(self) -> bool:
        """Whether one of them ended the text."""
        return bool(self.found)

    def feed(self, text: str) -> str:
        """Return the text that may be shown; `stopped` turns true at a match."""
        text = self._held + text
        self._held = ""
        matches = [
            (start + len(stop), start, stop)
            for stop in self._stops
            if (start := text.find(stop)) >= 0
        ]
        if matches:
            _, start, self.found = min(matches)
            return text[:start]
        keep = max(self._overlap(text, stop) for stop in self._stops)
        if keep:
            text, self._held = text[:-keep], text[-keep:]
        return text

    def close(self) -> str:
        """Return what was held back at the end of the text."""
        held, self._held = self._held, ""
        return held

    @staticmethod
    def _overlap(text: str, stop: str) -> int:
        """Return how much of the end of `text` may be the beginning of `stop`."""
        for size in range(min(len(stop) - 1, len(text)), 0, -1):
            if stop.startswith(text[-size:]):
                return size
        return 0


class FenceStripper:
    """Removes one Markdown code fence around the whole text.

    Text that does not begin with a fence is left alone. ```` ```json ```` and the
    closing fence go with the blanks around them.
    """

    # The character after the opening fence must be known, or "```js" would pass for
    # the whole of "```json".
    _OPEN = re.compile(r"\s*```[\w-]*+\s*+(?=\S)")
    _MAY_OPEN = re.compile(r"\s*(`{0,2}|```[\w-]*+\s*)")
    _CLOSE = re.compile(r"\s*```\s*")

    def __init__(self) -> None:
        self._held = ""
        self._begun = False
        self._fenced = False

    def feed(self, text: str) -> str:
        """Return the text that may be shown."""
        text = self._held + text
        self._held = ""
        if not self._begun:
            if self._MAY_OPEN.fullmatch(text):
                self._held = text
                return ""
            self._begun = True
            if found := self._OPEN.match(text):
                self._fenced = True
                text = text[found.end() :]
        if not self._fenced:
            return text
        shown = self._before_close(text)
        self._held = text[len(shown) :]
        return shown

    def close(self) -> str:
        """Return what was held back, unless it is the closing fence."""
        held, self._held = self._held, ""
        if not self._begun:
            return "" if "```" in held else held
        return "" if self._fenced and self._CLOSE.fullmatch(held) else held

    @staticmethod
    def _before_close(text: str) -> str:
        """Return `text` without blanks, a fence and blanks at its end."""
        bare = text.rstrip()
        ticks = len(bare) - len(bare.rstrip("`"))
        if ticks == 0 or ticks > 3:
            return bare
        return bare[:-ticks].rstrip()


class TextRules:
    """The rules about text, in the order in which a model would meet them."""

    def __init__(self, reply: Reply) -> None:
        self._cutter = StopCutter(reply.stop) if reply.stop else None
        self._stripper = FenceStripper() if reply.strip_fence else None

    @property
    def stopped(self) -> bool:
        """Whether an emulated stop sequence ended the text."""
        return self._cutter is not None and self._cutter.stopped

    @property
    def stop(self) -> str:
        """The stop sequence that ended the text, empty where none did."""
        return "" if self._cutter is None else self._cutter.found

    def feed(self, text: str) -> str:
        """Return the text that may be shown."""
        if self._cutter is not None:
            text = self._cutter.feed(text)
        if self._stripper is not None:
            text = self._stripper.feed(text)
        return text

    def close(self) -> str:
        """Return what was held back at the end of the text."""
        text = ""
        if self._cutter is not None and not self._cutter.stopped:
            text = self._cutter.close()
        if self._stripper is not None:
            text = self._stripper.feed(text) + self._stripper.close()
        return text

"""Splits the thinking off that some models write into their text, between tags."""

OPEN_TAGS = {"<reasoning>": "</reasoning>", "<think>": "</think>"}


class TagSplitter:
    """Splits one answer's text into reasoning and content, however it is cut.

    Only tags at the very beginning count: later ones are part of the answer. With
    `starts_open` the text begins inside ``<think>``, because the prompt ended so.
    """

    def __init__(self, *, starts_open: bool = False) -> None:
        self._held = ""
        self._is_undecided = True
        self._starts_open = starts_open
        self._close = ""
        """The tag that ends the reasoning; empty outside of it."""

    def feed(self, text: str) -> tuple[str, str]:
        """Return the reasoning and the content that `text` adds."""
        if not self._is_undecided and not self._close:
            return "", text
        self._held += text
        if self._is_undecided and not self._decide():
            return "", ""
        if not self._close:
            return "", self._release()
        return self._until_close()

    def end(self) -> tuple[str, str]:
        """Return what was held back; the text is over."""
        held = self._release()
        return (held, "") if self._close or self._starts_inside() else ("", held)

    def _starts_inside(self) -> bool:
        return self._is_undecided and self._starts_open

    def _decide(self) -> bool:
        """Find out whether the text begins with a tag; say whether that is known."""
        begun = self._held.lstrip()
        for tag, close in OPEN_TAGS.items():
            if begun.startswith(tag):
                self._is_undecided = False
                self._held = begun[len(tag) :]
                self._close = close
                return True
            if tag.startswith(begun):
                return False
        self._is_undecided = False
        self._close = OPEN_TAGS["<think>"] if self._starts_open else ""
        return True

    def _until_close(self) -> tuple[str, str]:
        reasoning, tag, content = self._held.partition(self._close)
        if tag:
            self._held = self._close = ""
            return reasoning, content
        keep = _overlap(self._held, self._close)
        cut = len(self._held) - keep
        reasoning, self._held = self._held[:cut], self._held[cut:]
        return reasoning, ""

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of `text` may begin `tag`."""
    for size in range(min(len(text), len(tag) - 1), 0, -1):
        if text.endswith(tag[:size]):
            return size
    return 0


def split(text: str, *, starts_open: bool = False) -> tuple[str, str]:
    """Return the reasoning and the content of a whole text.

    >>> split("<think>hm</think>yes")
    ('hm', 'yes')
    """
    splitter = TagSplitter(starts_open=starts_open)
    reasoning, content = splitter.feed(text)
    rest_of_reasoning, rest = splitter.end()
    return reasoning + rest_of_reasoning, content + rest

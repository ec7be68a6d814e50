"""A conversation's turns as the hub's messages.

Rendering only appends: the messages of a longer conversation begin with those of the
shorter one, which prompt caches need.
"""

from collections.abc import Mapping
from typing import Any

from gateway.doors.messages.request.blocks import parts_of
from gateway.doors.messages.request.checks import invalid
from gateway.doors.messages.request.pairing import paired
from gateway.doors.messages.request.profile import Profile
from gateway.doors.messages.request.results import result_of
from gateway.doors.messages.request.spoken import spoken_of
from gateway.doors.messages.request.turns import Placed, Turn, turns_of
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.turns import reminder
from gateway.wire.jsontext import JSON

RESULT = "tool_result"


class Conversation:
    """The messages of one request, as they are written."""

    def __init__(self, profile: Profile, names: ToolNames, losses: Losses) -> None:
        self.messages: list[JSON] = []
        self.origins: list[str] = []
        """Where each of the messages came from, by its path in the request."""
        self._profile = profile
        self._names = names
        self._losses = losses
        self._calls: Mapping[str, str] = {}
        """The tools of the last turn's calls, by the client's id, in their order."""

    def add(self, body: JSON) -> None:
        """Write all turns; raises a 400 naming the place of what is wrong."""
        turns = paired(turns_of(body))
        begun = len(self.messages)
        for turn in turns:
            match turn.role:
                case "user":
                    self._add_user(turn)
                case "assistant":
                    self._add_assistant(turn)
                case _:
                    self._add_instruction(turn)
        if len(self.messages) == begun:
            raise invalid(
                turns[0].path,
                "text content blocks must contain non-whitespace text",
            )
        if turns[-1].role == "assistant" and not self._profile.is_translated:
            # Few models go on with what is put into their mouth.
            self._losses.downgrade("messages")

    def say(self, message: JSON, path: str) -> None:
        """Write a message that came from `path`."""
        self.messages.append(message)
        self.origins.append(path)

    def _add_user(self, turn: Turn) -> None:
        """Write results in the order of their calls, and behind them what is left."""
        given = {
            block["tool_use_id"]: (at, block) for at, block in turn.of_type(RESULT)
        }
        beside: list[JSON] = []
        for id, tool in self._calls.items():
            at, block = given[id]
            result = result_of(block, at, tool, self._profile)
            self.say(result.message, at)
            beside += result.beside
        self._calls = {}
        others = [placed for placed in turn.blocks if placed[1]["type"] != RESULT]
        parts = [*beside, *self._parts(others)]
        if parts or not turn.blocks:
            self.say({"role": "user", "content": content_of(parts)}, turn.path)

    def _parts(self, blocks: list[Placed]) -> list[JSON]:
        """Return the parts of blocks, each with the mark that its block carries."""
        found: list[JSON] = []
        for path, block in blocks:
            if _cites(block) and not self._profile.tells_sources:
                self._losses.drop("citations")
            parts = parts_of(block, path, self._profile)
            if parts and self._profile.keeps_marks:
                mark(parts[-1], block, self._profile)
            found += parts
        return found

    def _add_instruction(self, turn: Turn) -> None:
        parts = self._parts(turn.blocks)
        if not parts:
            return
        content = content_of(parts)
        if self._profile.mid_system == "keep":
            self.say({"role": "system", "content": content}, turn.path)
            return
        if self._profile.mid_system == "hoist":
            self._hoist(parts, turn.path)
            return
        text = "\n".join(part.get("text", "") for part in parts)
        if not text.lstrip().startswith("<system-reminder>"):
            text = reminder(text)
        self.say({"role": "user", "content": text}, turn.path)

    def _hoist(self, parts: list[JSON], path: str) -> None:
        """Put an instruction behind those that all begins with."""
        if not self.messages or self.messages[0]["role"] != "system":
            self.messages.insert(0, {"role": "system", "content": content_of(parts)})
            self.origins.insert(0, path)
            return
        before = self.messages[0]["content"]
        if isinstance(before, str):
            before = [{"type": "text", "text": before}]
        self.messages[0] = {"role": "system", "content": content_of([*before, *parts])}

    def _add_assistant(self, turn: Turn) -> None:
        spoken = spoken_of(turn, self._names)
        self._calls = spoken.tools
        message = spoken.message
        if message is None:
            return
        if spoken.mark and self._profile.is_translated:
            message["cache_control"] = spoken.mark
        self.say(message, turn.path)


def content_of(parts: list[JSON]) -> Any:
    """Return parts as a message's content: one text where there is nothing else."""
    if all(part.keys() == {"type", "text"} for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def mark(part: JSON, block: JSON, profile: Profile) -> None:
    """Put the mark of a block on the part that it became."""
    given = block.get("cache_control")
    if isinstance(given, dict):
        part |= profile.mark(given)


def _cites(block: JSON) -> bool:
    """Tell whether a document is to be cited, which only Claude's host can do."""
    citations = block.get("citations")
    return isinstance(citations, dict) and citations.get("enabled") is True

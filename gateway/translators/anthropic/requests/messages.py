"""The conversation in Claude's form: system blocks and turns of content blocks.

https://platform.claude.com/docs/en/api/messages and
https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview

Rendering is a pure function of the messages and only appends: the turns of a longer
conversation begin with those of the shorter one. Claude's newer models bind their
thinking to everything before it, and prompt caches compare prefixes.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARK
from gateway.hub.requests.content.parts import FileId, Part
from gateway.hub.requests.conversation import Message, walk
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.replay import NO_REPLAY, Replay, in_order, replay_of
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.calls import ToolCall
from gateway.hub.requests.turns import (
    CONTINUED,
    Conversation,
    add_messages,
    begin_with_user,
    blocks_of,
    reminder,
)
from gateway.translators.anthropic.requests.blocks import FILES_BETA, render_part
from gateway.translators.anthropic.requests.claude_models import ClaudeModel
from gateway.translators.anthropic.requests.dialect import Claude


class Messages(NamedTuple):
    """A rendered conversation, still to be finished (see `request`).

    `betas` are needed to send it; `has_replay` tells that thinking is sent back.
    """

    conversation: Conversation
    betas: list[str]
    has_replay: bool


def render_messages(
    rendering: Rendering, claude: Claude, *, replay: bool = True
) -> Messages:
    """Return a request's messages as system blocks and alternating turns.

    With `replay` off no thinking is sent back. Raises a 400 for content that Claude
    does not take.
    """
    messages: list[JSON] = rendering.body["messages"]
    replays = _replays(messages, claude.model) if replay else {}
    writer = _Writer(rendering, claude, replays)
    add_messages(walk(rendering), writer)
    if claude.model.mid_system:
        _remind_instead(writer.conversation, rendering.losses)
    begin_with_user(writer.conversation, {"type": "text", "text": CONTINUED})
    has_replay = bool(replays) and any(each.blocks for each in replays.values())
    return Messages(writer.conversation, writer.betas, has_replay)


def _replays(messages: list[JSON], model: ClaudeModel) -> dict[int, Replay]:
    """Return the thinking to send back, by index of the assistant message.

    A model that checks its thinking against the prefix gets all of it or none.
    """
    if not model.thinking:
        return {}
    replays = {
        index: replay
        for index, message in enumerate(messages)
        if message["role"] == "assistant"
        and (replay := replay_of(message)) is not NO_REPLAY
    }
    if model.preserved and not all(each.is_complete for each in replays.values()):
        return {}
    return replays


def _remind_instead(conversation: Conversation, losses: Losses) -> None:
    """Let the user say the system turns that a user's follows.

    The answer that belonged between them was blank.
    """
    turns = conversation.turns
    misplaced = {
        position
        for position, (turn, next) in enumerate(pairwise(turns))
        if turn["role"] == "system" and next["role"] == "user"
    }
    if not misplaced:
        return
    losses.downgrade("messages")
    conversation.turns = []
    for position, turn in enumerate(turns):
        if position in misplaced:
            conversation.add("user", _reminders(turn["content"]))
        else:
            conversation.add(turn["role"], turn["content"])


def _reminders(blocks: list[JSON]) -> list[JSON]:
    return [{**block, "text": reminder(block["text"])} for block in blocks]


def _speaks_next(messages: list[JSON]) -> list[str]:
    """Return for each message who speaks next, the system left out; "" is nobody."""
    found, role = [], ""
    for message in reversed(messages):
        found.append(role)
        if message["role"] not in ("system", "developer"):
            role = message["role"]
    return found[::-1]


_BEFORE_SYSTEM = ("user", "system")


class _Writer:
    """Writes what is said as Claude's blocks; a `BlockWriter`."""

    def __init__(
        self, rendering: Rendering, claude: Claude, replays: Mapping[int, Replay]
    ) -> None:
        self.conversation = Conversation()
        self.betas: list[str] = []
        self._names = rendering.names
        self._losses = rendering.losses
        self._dialect = claude.dialect
        self._replays = replays
        self._speaks_next: list[str] = []
        if claude.model.mid_system:
            self._speaks_next = _speaks_next(rendering.body["messages"])

    def text(self, text: str) -> JSON:
        return {"type": "text", "text": text}

    def part(self, part: Part, param: str) -> JSON | None:
        block = render_part(part, self._dialect, param)
        if isinstance(part, FileId) and part.id and FILES_BETA not in self.betas:
            self.betas.append(FILES_BETA)
        return block

    def call(self, call: ToolCall) -> JSON:
        name = self._names.upstream(call.name)
        arguments = parse_arguments(call.arguments)
        return {
            "type": "tool_use",
            "id": call.id,
            "name": name,
            "input": self._names.call_arguments(name, arguments),
        }

    def result(self, message: Message) -> list[JSON]:
        block: JSON = {"type": "tool_result", "tool_use_id": message.call.id}
        if isinstance(message.content, str):
            if message.content.strip():
                block["content"] = message.content
        elif blocks := blocks_of(message, self):
            for each in blocks:
                # One mark per result is enough, and it belongs on the outer block.
                if mark := each.pop(MARK, None):
                    block[MARK] = mark
            block["content"] = blocks
        if message.source.get("is_error") is True:
            block["is_error"] = True
        self.conversation.mark(block, message.source)
        return [block]

    def spoken(self, message: Message, blocks: list[JSON]) -> list[JSON]:
        replay = self._replays.get(message.at)
        return in_order(replay.blocks, blocks) if replay else blocks

    def add_system(self, message: Message, blocks: list[JSON]) -> None:
        if not self.conversation.turns:
            self.conversation.system.extend(blocks)
        elif self._may_stay(message.at):
            self.conversation.add("system", blocks)
        elif blocks:
            # At the beginning it would change the prefix that was cached.
            self._losses.downgrade("messages")
            self.conversation.add("user", _reminders(blocks))

    def _may_stay(self, index: int) -> bool:
        """Tell whether a later system message may stand where it is.

        It must follow the user's turn and precede the assistant's or nothing.
        """
        if not self._speaks_next or self.conversation.last_role not in _BEFORE_SYSTEM:
            return False
        return self._speaks_next[index] in ("assistant", "")

"""The conversation in Claude's form: system blocks and turns of content blocks.

https://platform.claude.com/docs/en/api/messages and
https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview

Rendering is a pure function of the messages and only appends: the turns of a longer
conversation begin with those of the shorter one. Claude's newer models bind their
thinking to everything before it, and prompt caches compare prefixes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import cache_mark
from gateway.hub.requests.content.parsing import parse_part
from gateway.hub.requests.content.parts import FileId
from gateway.hub.requests.reasoning import NO_REPLAY, Replay, in_order, replay_of
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.calls import calls_of
from gateway.hub.requests.tools.ids import call_ids
from gateway.hub.requests.turns import (
    CONTINUED,
    add_results,
    add_turn,
    begin_with_user,
    check_silent,
    check_text_only,
    refusal_of,
)
from gateway.translators.anthropic.requests.blocks import FILES_BETA, render_part
from gateway.translators.anthropic.requests.dialect import Claude


@dataclass
class Conversation:
    """Rendered turns, still to be finished (see `request`)."""

    system: list[JSON] = field(default_factory=list)
    turns: list[JSON] = field(default_factory=list)
    has_marks: bool = False
    has_replay: bool = False
    betas: list[str] = field(default_factory=list)

    def add(self, role: str, blocks: list[JSON]) -> None:
        """Append `blocks` to the last turn if it is `role`'s, else as a new turn."""
        add_turn(self.turns, role, blocks)

    @property
    def last_role(self) -> str:
        """The role of the last turn; empty while there is none."""
        return self.turns[-1]["role"] if self.turns else ""


def render_conversation(
    rendering: Rendering, claude: Claude, *, replay: bool = True
) -> Conversation:
    """Return a request's messages as system blocks and alternating turns.

    With `replay` off no thinking is sent back. Raises a 400 for content that Claude
    does not take.
    """
    renderer = _Renderer(rendering, claude)
    conversation = renderer.render(renderer.replays() if replay else {})
    if claude.model.mid_system:
        _hoist_misplaced(conversation)
    opening = {"type": "text", "text": CONTINUED}
    begin_with_user(conversation.turns, conversation.system, opening)
    return conversation


def _hoist_misplaced(conversation: Conversation) -> None:
    """Move system turns away that a user's follows: the answer between was blank."""
    turns = conversation.turns
    misplaced = {
        position
        for position, (turn, next) in enumerate(pairwise(turns))
        if turn["role"] == "system" and next["role"] == "user"
    }
    if not misplaced:
        return
    conversation.turns = []
    for position, turn in enumerate(turns):
        if position in misplaced:
            conversation.system.extend(turn["content"])
        else:
            conversation.add(turn["role"], turn["content"])


def _speaks_next(messages: list[JSON]) -> list[str]:
    """Return for each message who speaks next, the system left out; "" is nobody."""
    found, role = [], ""
    for message in reversed(messages):
        found.append(role)
        if message["role"] not in ("system", "developer"):
            role = message["role"]
    return found[::-1]


class _Renderer:
    def __init__(self, rendering: Rendering, claude: Claude) -> None:
        self._messages: list[JSON] = rendering.body["messages"]
        self._results = rendering.valid.results
        self._names = rendering.names
        self._model, self._dialect = claude
        messages, model = self._messages, claude.model
        self._ids = call_ids(messages)
        self._conversation = Conversation()
        self._speaks_next = _speaks_next(messages) if model.mid_system else []

    def replays(self) -> dict[int, Replay]:
        """Return the thinking to send back, by index of the assistant message.

        A model that checks its thinking against the prefix gets all of it or none.
        """
        if not self._model.thinking:
            return {}
        replays = {
            index: replay_of(message)
            for index, message in enumerate(self._messages)
            if message["role"] == "assistant"
        }
        if self._model.preserved and not all(
            each.is_complete for each in replays.values()
        ):
            return {}
        return replays

    def render(self, replays: Mapping[int, Replay]) -> Conversation:
        conversation = self._conversation
        answers: dict[tuple[int, int], list[JSON]] = {}
        leading = True
        for index, message in enumerate(self._messages):
            role = message["role"]
            if answers and role not in ("tool", "function"):
                add_results(conversation.turns, answers)
            if role in ("system", "developer"):
                self._add_system(index, message, leading)
                continue
            leading = False
            if role == "user":
                conversation.add("user", self._user_blocks(index, message))
            elif role == "assistant":
                blocks = self._assistant_blocks(
                    index, message, replays.get(index, NO_REPLAY)
                )
                conversation.add("assistant", blocks)
            else:
                answers[self._results[index]] = [self._tool_result(index, message)]
        add_results(conversation.turns, answers)
        return conversation

    def _add_system(self, index: int, message: JSON, leading: bool) -> None:
        blocks = self._text_blocks(message, f"messages[{index}]")
        conversation = self._conversation
        if not leading and self._model.mid_system and self._may_stay(index):
            conversation.add("system", blocks)
        else:
            conversation.system.extend(blocks)

    def _may_stay(self, index: int) -> bool:
        """Tell whether a later system message may stand where it is.

        It must follow the user's turn and precede the assistant's or nothing.
        """
        follows = self._conversation.last_role in ("user", "system")
        return follows and self._speaks_next[index] in ("assistant", "")

    def _user_blocks(self, index: int, message: JSON) -> list[JSON]:
        blocks = self._blocks(message["content"], f"messages[{index}].content")
        self._mark_last(blocks, message)
        return blocks

    def _blocks(self, content: str | list[JSON] | None, param: str) -> list[JSON]:
        if content is None:
            return []
        if isinstance(content, str):
            return [{"type": "text", "text": content}] if content.strip() else []
        conversation = self._conversation
        blocks = []
        for position, part in enumerate(content):
            path = f"{param}[{position}]"
            parsed = parse_part(part, path)
            block = render_part(parsed, self._dialect, path)
            if block is None:
                continue
            if isinstance(parsed, FileId) and FILES_BETA not in conversation.betas:
                conversation.betas.append(FILES_BETA)
            self._mark(block, part)
            blocks.append(block)
        return blocks

    def _text_blocks(self, message: JSON, param: str) -> list[JSON]:
        check_text_only(message, param)
        blocks = self._blocks(message.get("content"), f"{param}.content")
        self._mark_last(blocks, message)
        return blocks

    def _assistant_blocks(
        self, index: int, message: JSON, replay: Replay
    ) -> list[JSON]:
        param = f"messages[{index}]"
        check_silent(message, param)
        others = self._text_blocks(message, param)
        if refusal := refusal_of(message):
            others.append({"type": "text", "text": refusal})
        for position, call in enumerate(calls_of(message)):
            others.append(
                {
                    "type": "tool_use",
                    "id": self._ids[index, position],
                    "name": self._names.upstream(call.name),
                    "input": parse_arguments(call.arguments),
                }
            )
        self._mark_last(others, message)
        if replay.blocks:
            self._conversation.has_replay = True
        return in_order(replay.blocks, others)

    def _tool_result(self, index: int, message: JSON) -> JSON:
        block: JSON = {
            "type": "tool_result",
            "tool_use_id": self._ids[self._results[index]],
        }
        content = message.get("content")
        if isinstance(content, str):
            if content.strip():
                block["content"] = content
        elif content:
            self._add_result_parts(block, content, f"messages[{index}].content")
        if message.get("is_error") is True:
            block["is_error"] = True
        self._mark(block, message)
        return block

    def _add_result_parts(self, block: JSON, content: list[JSON], param: str) -> None:
        blocks = self._blocks(content, param)
        for each in blocks:
            # One mark per result is enough, and it belongs on the outer block.
            if mark := each.pop("cache_control", None):
                block["cache_control"] = mark
        if blocks:
            block["content"] = blocks

    def _mark(self, block: JSON, holder: JSON) -> None:
        if mark := cache_mark(holder):
            block["cache_control"] = mark
            self._conversation.has_marks = True

    def _mark_last(self, blocks: list[JSON], message: JSON) -> None:
        if blocks:
            self._mark(blocks[-1], message)

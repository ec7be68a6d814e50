"""Items in the order and the groups that messages have.

A turn of the assistant is one message of the hub: what it thought, said and called.
Results stand right behind the turn whose calls they answer; what was said in between
comes after them. The same items always give the same messages, and more items only add
to them: caches and thinking that is bound to its prompt depend on it.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.doors.responses.request.content import plain
from gateway.doors.responses.request.paths import Paths
from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import JSON


class Said(NamedTuple):
    """A message of the user or of who instructs; `path` is that of its item."""

    message: JSON
    path: str


class Spoken(NamedTuple):
    """A message of the assistant: its parts, and the path of their list."""

    parts: list[JSON]
    path: str
    in_parts: bool


class Called(NamedTuple):
    """A call of the assistant; `id` is that of its item, `is_local` a kind of shell."""

    call: JSON
    path: str
    id: str = ""
    is_local: bool = False


class Thought(NamedTuple):
    """A thinking block of the hub's, or plain reasoning with the type ``text``."""

    block: JSON


class Answered(NamedTuple):
    """What a tool answered: the message for it, and the call or item that it names."""

    message: JSON
    call_id: str
    path: str
    is_local: bool = False


Move = Said | Spoken | Called | Thought | Answered


@dataclass
class _Turn:
    """The assistant's turn, or anybody else's message in `said`."""

    said: Said | None = None
    parts: list[JSON] = field(default_factory=list)
    part_paths: list[str] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    blocks: list[JSON] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    results: list[Answered] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said: thinking alone is no message."""
        return not (self.parts or self.calls)

    def add(self, move: Spoken | Called | Thought) -> None:
        """Add what the assistant did next."""
        match move:
            case Spoken(parts, path, in_parts):
                self.parts += parts
                self.part_paths += [
                    f"{path}[{at}]" if in_parts else path for at in range(len(parts))
                ]
            case Called():
                self.calls.append(move)
            case Thought({"type": "text", "text": text}):
                self.reasoning.append(text)
            case Thought(block):
                said = sum(bool(part.get("text", "-").strip()) for part in self.parts)
                place = len(self.blocks) + said + len(self.calls)
                self.blocks.append({**block, "index": place})

    def message(self) -> JSON:
        """Return the hub's message."""
        message: JSON = {"role": "assistant", "content": None}
        if self.parts:
            message["content"] = plain(self.parts)
        if self.blocks:
            message["thinking_blocks"] = self.blocks
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        if self.calls:
            message["tool_calls"] = [called.call for called in self.calls]
        return message


class Turns:
    """The turns of a conversation, made of its moves in their order."""

    def __init__(self) -> None:
        self._turns: list[_Turn] = []
        self._current: _Turn | None = None
        self._open: dict[str, deque[_Turn]] = {}
        self._local: deque[str] = deque()
        self._by_item: dict[str, str] = {}
        self._answered: dict[str, Answered] = {}
        self._fresh: set[str] = set()

    def add(self, move: Move) -> None:
        """Add the next move; raises a 400 for a result that no call waits for."""
        match move:
            case Said():
                self._turns.append(_Turn(said=move))
                self._current = None
                self._fresh.clear()
            case Answered():
                self._answer(move)
                self._current = None
            case _:
                self._fresh.clear()
                if self._current is None:
                    self._current = _Turn()
                    self._turns.append(self._current)
                self._current.add(move)
                if isinstance(move, Called):
                    self._wait_for(move, self._current)

    def messages(self, paths: Paths, first: list[JSON]) -> list[JSON]:
        """Return the hub's messages, those in `first` before them.

        Notes in `paths` where each came from. Raises a 400 for a call that nothing
        answers.
        """
        for call_id, waiting in self._open.items():
            if waiting:
                raise invalid_request(
                    f"No tool output found for function call {call_id}.", param="input"
                )
        messages = list(first)
        for turn in self._turns:
            place = f"messages[{len(messages)}]"
            if turn.said is not None:
                paths.add(place, turn.said.path)
                messages.append(turn.said.message)
            elif not turn.is_empty:
                _note(turn, place, paths)
                messages.append(turn.message())
            for result in turn.results:
                place = f"messages[{len(messages)}]"
                paths.add(place, result.path)
                paths.add(f"{place}.content", f"{result.path}.output")
                messages.append(result.message)
        return messages

    def _wait_for(self, called: Called, turn: _Turn) -> None:
        call_id = called.call["id"]
        self._open.setdefault(call_id, deque()).append(turn)
        if called.is_local:
            self._local.append(call_id)
            if called.id:
                self._by_item[called.id] = call_id

    def _answer(self, answered: Answered) -> None:
        call_id = self._waiting_id(answered)
        if not self._open.get(call_id):
            self._add_to_answer(answered)
            return
        turn = self._open[call_id].popleft()
        if call_id in self._local:
            self._local.remove(call_id)
        answered.message["tool_call_id"] = call_id
        self._answered[call_id] = answered
        self._fresh.add(call_id)
        turn.results.append(answered)

    def _add_to_answer(self, more: Answered) -> None:
        """Add a further output of a call to its answer; raises a 400 where it has none.

        A tool of Codex's tells so what happens while it runs. What comes when the
        conversation went on is a message of its own, since nothing earlier may change.
        """
        first, told = self._answered.get(more.call_id), _parts(more.message["content"])
        if first is None:
            raise _no_call(more)
        if more.call_id in self._fresh:
            first.message["content"] = _parts(first.message["content"]) + told
            return
        opening = {"type": "text", "text": f"Further output of call {more.call_id}:"}
        message = {"role": "user", "content": [opening, *told]}
        self._turns.append(_Turn(said=Said(message, more.path)))

    def _waiting_id(self, answered: Answered) -> str:
        """Return the id of the call that is answered.

        A local shell's output names its item, or nothing that is known: then it is the
        oldest call that waits.
        """
        named = answered.call_id
        if not answered.is_local or self._open.get(named):
            return named
        if self._open.get(self._by_item.get(named, "")):
            return self._by_item[named]
        return self._local[0] if self._local else named


def _parts(content: str | list[JSON]) -> list[JSON]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


def _note(turn: _Turn, place: str, paths: Paths) -> None:
    """Note where the parts and calls of the assistant's message came from."""
    origins = turn.part_paths or [called.path for called in turn.calls]
    paths.add(place, origins[0].partition(".")[0])
    for at, path in enumerate(turn.part_paths):
        paths.add(f"{place}.content[{at}]", path)
    for at, called in enumerate(turn.calls):
        paths.add(f"{place}.tool_calls[{at}]", called.path)


def _no_call(answered: Answered) -> GatewayError:
    return invalid_request(
        f"No tool call found for function call output with call_id {answered.call_id}.",
        param="input",
    )

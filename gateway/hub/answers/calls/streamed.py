"""The tool calls of a streamed answer: pieces to pieces, made regular.

Clients add pieces up by `index` and join their strings
(https://platform.openai.com/docs/api-reference/chat/streaming). Servers leave indexes
and ids out, give every call the index 0, tell id and name in each piece or change them
on the way.
"""

from collections.abc import Hashable
from typing import Any

from gateway.hub.answers.calls.arguments import GrowingArguments, arguments_text
from gateway.hub.answers.calls.ids import call_id
from gateway.hub.answers.calls.whole import id_text, name_of_nameless
from gateway.hub.protocol import JSON, Reply

_OWN = frozenset({"index", "id", "type", "function", "custom"})
_TEXTS = {"function": "arguments", "custom": "input"}


class _Call:
    """One call of the answer; `head` waits for an id or for arguments.

    `id` is the upstream's first. `is_named_again` notes a name that may have begun
    another call: whether it did, the next arguments tell.
    """

    __slots__ = ("arguments", "head", "id", "index", "is_named_again", "kind", "name")

    def __init__(self, index: int, kind: str, name: str) -> None:
        self.index = index
        self.kind = kind
        self.name = name
        self.id = ""
        self.head: JSON | None = None
        self.arguments = GrowingArguments()
        self.is_named_again = False


class _Piece:
    """What an upstream's piece of a call says; blank where it says nothing."""

    __slots__ = ("arguments", "body", "id", "index", "kind", "name", "others", "type")

    def __init__(self, piece: JSON) -> None:
        self.kind = "custom" if isinstance(piece.get("custom"), dict) else "function"
        body = piece.get(self.kind)
        self.body: JSON = body if isinstance(body, dict) else {}
        name = self.body.get("name")
        self.name = name if isinstance(name, str) else ""
        self.id = id_text(piece.get("id"))
        self.arguments = arguments_text(self.body.get(_TEXTS[self.kind]))
        index = piece.get("index")
        self.index: Hashable = index if isinstance(index, int | float | str) else None
        self.type: JSON = {}
        if piece.get("type") == self.kind:
            self.type = {"type": piece["type"]}
        self.others = {
            key: value
            for key, value in piece.items()
            if key not in _OWN and value is not None
        }


class _Nameless:
    """What came of a call before its name."""

    __slots__ = ("arguments", "first")

    def __init__(self, first: _Piece) -> None:
        self.first = first
        self.arguments = [first.arguments]

    def add(self, piece: _Piece) -> None:
        self.first.id = self.first.id or piece.id
        self.arguments.append(piece.arguments)


class StreamedCalls:
    """The calls of one choice.

    A call begins with a name, where its index is new, its id differs, or the arguments
    so far are whole; a piece without a name never begins one. What comes before a name
    waits for it.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._calls: list[_Call] = []
        self._by_index: dict[Any, _Call] = {}
        self._nameless: dict[Hashable, _Nameless] = {}
        self._ids: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def are_whole(self) -> bool:
        """Whether no call was cut off amid its arguments."""
        return all(
            call.kind == "custom" or call.arguments.is_blank or call.arguments.is_whole
            for call in self._calls
        )

    def read(self, pieces: Any) -> list[JSON]:
        """Return what a client is sent for the `pieces` of one delta (its own now)."""
        if type(pieces) is not list:
            pieces = [pieces]
        out: list[JSON] = []
        for piece in pieces:
            try:
                # Nearly all pieces are such, and pass as they are.
                call = self._by_index[piece["index"]]
                function = piece["function"]
                fragment = function["arguments"]
                if (
                    type(fragment) is str
                    and fragment
                    and "id" not in piece
                    and "type" not in piece
                    and "name" not in function
                    and call.head is None
                    and not call.is_named_again
                ):
                    piece["index"] = call.index
                    call.arguments.pieces.append(fragment)
                    out.append(piece)
                    continue
            except (KeyError, TypeError):
                pass
            if type(piece) is dict:
                self._read(piece, out)
        return out

    def end(self, *, is_cut_off: bool = False) -> list[JSON]:
        """Return what must be told before the choice ends.

        A call without arguments gets empty ones, unless the answer was cut off: its
        arguments may have been about to come. Arguments without a name are those of the
        tool that the request forces; raises `GatewayError` (502) where there is none.
        """
        pieces = self._named_by_force()
        for call in self._calls:
            missing = ""
            if call.kind == "function" and call.arguments.is_blank and not is_cut_off:
                missing = "{}"
                call.arguments.pieces.append(missing)
            if call.head is not None:
                pieces.append(self._head(call, "", missing, {}))
            elif missing:
                function = {"arguments": missing}
                pieces.append({"index": call.index, "function": function})
        return pieces

    def _named_by_force(self) -> list[JSON]:
        pieces: list[JSON] = []
        for index, waiting in [*self._nameless.items()]:
            arguments = "".join(waiting.arguments)
            if name := name_of_nameless(arguments, self._reply):
                self._read({"index": index, "function": {"name": name}}, pieces)
        return pieces

    def _read(self, told: JSON, out: list[JSON]) -> None:
        piece = _Piece(told)
        call = self._by_index.get(piece.index)
        is_second = call is not None and any(
            other["index"] == call.index for other in out
        )
        if piece.name and self._begins(call, piece, is_second=is_second):
            said = self._begin(piece, out)
        elif call is None and (call := self._last(piece)) is None:
            if (waiting := self._nameless.get(piece.index)) is None:
                self._nameless[piece.index] = _Nameless(piece)
            else:
                waiting.add(piece)
            return
        else:
            said = self._go_on(call, piece, out)
        if said is not None:
            out.append(said)

    @staticmethod
    def _begins(call: _Call | None, piece: _Piece, *, is_second: bool) -> bool:
        """Tell whether a piece with a name begins a call, `call` being its index's."""
        if call is None or piece.name != call.name:
            return True
        arguments = call.arguments
        if piece.id and call.id and piece.id != call.id:
            # Some servers make up an id for every piece.
            return arguments.is_blank or arguments.is_whole
        if piece.id and piece.id == call.id:
            is_repeated = piece.arguments == str(arguments)
            return bool(piece.arguments) and arguments.is_whole and not is_repeated
        if arguments.is_blank:
            return is_second and call.head is not None
        call.is_named_again = arguments.is_whole and not piece.arguments
        return arguments.is_whole and bool(piece.arguments)

    def _last(self, piece: _Piece) -> _Call | None:
        """Return the call that a nameless piece of no known index belongs to."""
        if not self._calls or (piece.index is not None and piece.id):
            return None
        last = self._calls[-1]
        if piece.index is None or not last.arguments.is_whole:
            return last
        return None

    def _begin(self, piece: _Piece, out: list[JSON]) -> JSON | None:
        if self._calls and self._calls[-1].head is not None:
            # Indexes are told in their order: nobody waits for two ids.
            out.append(self._head(self._calls[-1], "", "", {}))
        call = _Call(len(self._calls), piece.kind, piece.name)
        self._calls.append(call)
        self._by_index[piece.index] = call
        body = {key: piece.body[key] for key in piece.body if piece.body[key]}
        call.head = {**piece.others, piece.kind: {**body, "name": piece.name}}
        if (earlier := self._nameless.pop(piece.index, None)) is not None:
            piece.id = piece.id or earlier.first.id
            piece.arguments = "".join([*earlier.arguments, piece.arguments])
        return self._go_on(call, piece, out)

    def _go_on(self, call: _Call, piece: _Piece, out: list[JSON]) -> JSON | None:
        """Return what a client is sent for a piece of `call`, None where nothing."""
        if call.is_named_again and piece.arguments:
            call.is_named_again = False
            piece.name = call.name
            return self._begin(piece, out)
        is_repeated = (
            piece.name
            and piece.id
            and piece.id == call.id
            and call.arguments.is_whole
            and piece.arguments == str(call.arguments)
        )
        arguments = "" if is_repeated else piece.arguments
        call.id = call.id or piece.id
        if arguments:
            call.arguments.pieces.append(arguments)
        if call.head is not None:
            if not arguments and not piece.id:
                call.head.update(piece.others)
                return None
            return self._head(call, piece.id, arguments, piece.others)
        if not arguments and not piece.others:
            return None
        body = {_TEXTS[call.kind]: arguments} if arguments else {}
        return {"index": call.index, **piece.type, **piece.others, call.kind: body}

    def _head(self, call: _Call, id: str, arguments: str, others: JSON) -> JSON:
        """Return the first piece of a call, which waited until now."""
        held, call.head = call.head or {}, None
        given = call_id("" if id in self._ids else id, self._reply, call.index)
        self._ids.add(given)
        body = {**held[call.kind], _TEXTS[call.kind]: arguments}
        head = {"index": call.index, "id": given, "type": call.kind}
        return {**head, **held, **others, call.kind: body}

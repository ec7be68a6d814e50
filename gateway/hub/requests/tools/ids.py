"""Ids of tool calls and names of tools, in alphabets narrower than the client's.

Both must come out the same on every turn of a conversation: each is a pure function of
what stands before it.
"""

import re
from collections.abc import Callable, Mapping
from hashlib import sha256

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.references import kept_apart
from gateway.hub.requests.tools.calls import ToolCall
from gateway.hub.requests.tools.parameter_names import (
    names_to_send,
    renamed_arguments,
    renamed_schema,
)

_is_token = re.compile(r"[a-zA-Z0-9_-]+").fullmatch
_replace_bad = re.compile(r"[^a-zA-Z0-9_-]").sub


def plain_id(id: str, longest: int | None = None) -> str:
    """Return `id` in letters, digits, "_" and "-", unchanged where it already is."""
    if _is_token(id) and (longest is None or len(id) <= longest):
        return id
    return f"{_replace_bad('_', id)[:50]}_{_hash(id)[:8]}"


def calls_to_send(
    calls: Mapping[int, list[ToolCall]], rewrite: Callable[[str], str] = plain_id
) -> dict[int, list[ToolCall]]:
    """Return calls (see `calls_in`) with the ids to send.

    Every id is unique in the conversation: one that a later call uses again gets the
    ordinal of its use appended, because upstreams look results up by id alone. Missing
    ids are made up from the call's place. Appending messages changes no id.
    """
    if not calls:
        return {}
    ids = _Ids(rewrite)
    return {
        index: [
            _with_id(call, ids.take(call.id or f"call_{index}_{position}"))
            for position, call in enumerate(said)
        ]
        for index, said in calls.items()
    }


def _with_id(call: ToolCall, id: str) -> ToolCall:
    return call if call.id == id else ToolCall(id, call.name, call.arguments)


class _Ids:
    """The ids of a conversation, each sent once."""

    def __init__(self, rewrite: Callable[[str], str]) -> None:
        self._rewrite = rewrite
        self._uses: dict[str, int] = {}
        self._sent: set[str] = set()

    def take(self, original: str) -> str:
        base = id = self._rewrite(original)
        use = self._uses.get(original, 0) + 1
        if use > 1:
            id = self._rewrite(f"{base}_{use}")
        while id in self._sent:
            use += 1
            id = self._rewrite(f"{base}_{use}")
        self._uses[original] = use
        self._sent.add(id)
        return id


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def made_up_id(completion_id: str, ordinal: int) -> str:
    """Return an id for the call of an answer whose upstream gave none.

    The same for one answer however often it is parsed, another for every answer.
    """
    return f"call_{_hash(f'{completion_id}:{ordinal}')[:24]}"


class ToolNames:
    """Names in the upstream's alphabet, and the way back.

    Nearly all take ``[a-zA-Z0-9_-]{1,64}``, OpenAI itself among them; clients name
    tools after packages and paths all the same.
    """

    def __init__(self) -> None:
        self.originals: dict[str, str] = {}
        """Upstream name to the client's where they differ, for `Reply.tool_names`."""
        self.arguments: dict[str, dict[str, str]] = {}
        """The same for arguments, by the upstream name of their tool."""
        self._sent: dict[str, Mapping[str, str]] = {}

    def upstream(self, name: str) -> str:
        """Return the name to send for `name`."""
        if len(name) <= 64 and _is_token(name):
            return name
        sent = f"{_replace_bad('_', name)[:57]}_{_hash(name)[:6]}"
        self.originals[sent] = name
        return sent

    def schema(self, tool: str, schema: JSON) -> JSON:
        """Return the `schema` to send for a tool, given by its upstream name.

        From now on the arguments of its calls are renamed as its properties are.
        """
        sent = names_to_send(schema.get("properties") or ())
        if not sent:
            return schema
        self._sent[tool] = sent
        self.arguments[tool] = {new: name for name, new in sent.items()}
        return renamed_schema(kept_apart(schema), sent)

    def learn(self, others: "ToolNames") -> None:
        """Take over what is known of the tools of `others`."""
        self.originals.update(others.originals)
        self.arguments.update(others.arguments)
        self._sent.update(others._sent)

    def call_arguments(self, tool: str, arguments: JSON) -> JSON:
        """Return the arguments to send for a call of a tool (its upstream name)."""
        sent = self._sent.get(tool) if self._sent else None
        return renamed_arguments(arguments, sent) if sent else arguments

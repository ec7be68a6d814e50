"""Tools whose definitions the provider knows and the client runs, as functions.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/bash-tool
https://platform.claude.com/docs/en/agents-and-tools/tool-use/text-editor-tool
https://platform.claude.com/docs/en/agents-and-tools/tool-use/memory-tool
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.wire.jsontext import JSON

_TEXT: JSON = {"type": "string"}
_LINES: JSON = {"type": "array", "items": {"type": "integer"}}
_LINE: JSON = {"type": "integer"}


class Builtin(NamedTuple):
    """What such a tool is to a model that was not trained on it."""

    description: str
    parameters: JSON


def _commands(commands: list[str], **arguments: JSON) -> JSON:
    properties: JSON = {"command": {"type": "string", "enum": commands}, **arguments}
    return {"type": "object", "properties": properties, "required": ["command"]}


BUILTIN: Mapping[str, Builtin] = {
    "bash": Builtin(
        "Runs a command in a bash session that persists between calls; `restart` "
        "begins a new session.",
        {
            "type": "object",
            "properties": {"command": _TEXT, "restart": {"type": "boolean"}},
        },
    ),
    "text_editor": Builtin(
        "Views, creates and edits text files.",
        _commands(
            ["view", "create", "str_replace", "insert"],
            path=_TEXT,
            view_range=_LINES,
            file_text=_TEXT,
            old_str=_TEXT,
            new_str=_TEXT,
            insert_line=_LINE,
            insert_text=_TEXT,
        ),
    ),
    "memory": Builtin(
        "Keeps notes between conversations, as files below /memories.",
        _commands(
            ["view", "create", "str_replace", "insert", "delete", "rename"],
            path=_TEXT,
            view_range=_LINES,
            file_text=_TEXT,
            old_str=_TEXT,
            new_str=_TEXT,
            insert_line=_LINE,
            insert_text=_TEXT,
            old_path=_TEXT,
            new_path=_TEXT,
        ),
    ),
}
"""By the type of the tool without its date."""

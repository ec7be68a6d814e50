"""Tools that the hub does not know, offered as functions.

https://platform.openai.com/docs/guides/tools
"""

from typing import Any, NamedTuple

from gateway.doors.responses.custom_input import FIELD
from gateway.hub.protocol import JSON

LONGEST_GRAMMAR = 8000

_STRING = {"type": "string"}
_INTEGER = {"type": "integer"}
_STRINGS = {"type": "array", "items": _STRING}


class Emulated(NamedTuple):
    """A function that stands for a tool of another kind."""

    name: str
    description: str
    parameters: JSON


def _object(required: list[str], **properties: JSON) -> JSON:
    return {"type": "object", "properties": properties, "required": required}


LOCAL_SHELL = Emulated(
    "local_shell",
    "Runs a command on the user's machine and returns what it prints.",
    _object(
        ["command"],
        command={**_STRINGS, "description": "The program and its arguments."},
        working_directory=_STRING,
        env={"type": "object", "additionalProperties": _STRING},
        timeout_ms=_INTEGER,
        user=_STRING,
    ),
)
SHELL = Emulated(
    "shell",
    "Runs commands in a shell on the user's machine and returns what they print.",
    _object(
        ["commands"],
        commands={**_STRINGS, "description": "Command lines, run in this order."},
        timeout_ms=_INTEGER,
        max_output_length=_INTEGER,
    ),
)
APPLY_PATCH = Emulated(
    "apply_patch",
    "Creates, changes or deletes one file. 'diff' is in the V4A form: each change is a "
    "section that begins with '@@', optionally followed by the line of code that it "
    "belongs to; within it ' ' begins a line that stays, '-' one that goes and '+' one "
    "that comes, with three lines that stay around each change. The diff of a new file "
    "is its lines, each behind a '+'. Line numbers are not given.",
    _object(
        ["operation"],
        operation=_object(
            ["type", "path"],
            type={
                "type": "string",
                "enum": ["create_file", "update_file", "delete_file"],
            },
            path=_STRING,
            diff={**_STRING, "description": "Left out to delete a file."},
        ),
    ),
)
BY_TYPE = {"local_shell": LOCAL_SHELL, "shell": SHELL, "apply_patch": APPLY_PATCH}
"""The emulations of tools that have no name of their own, by the tool's type."""

CUSTOM_PARAMETERS = {
    **_object([FIELD], **{FIELD: _STRING}),
    "additionalProperties": False,
}


def custom_description(tool: JSON) -> str:
    """Return what a model must be told of a custom tool, its grammar among it."""
    told = [tool["description"]] if isinstance(tool.get("description"), str) else []
    told.append(f"Put the whole text into '{FIELD}'.")
    told += _grammar(tool.get("format"))
    return "\n\n".join(text for text in told if text)


def _grammar(format: Any) -> list[str]:
    match format:
        case {"type": "grammar", "definition": str(definition)}:
            syntax = format.get("syntax") or "lark"
            cut = definition[:LONGEST_GRAMMAR]
            return [f"It must follow this {syntax} grammar:\n{cut}"]
        case _:
            return []

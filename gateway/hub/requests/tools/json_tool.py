"""A hidden tool that carries an answer in JSON, where nothing else holds it to one."""

from collections.abc import Container

SCHEMA_PARAM = "response_format.json_schema.schema"
"""Where the client wrote the schema."""

DESCRIPTION = "Gives the answer. Call it once, with the whole answer."


def json_tool_name(taken: Container[str | None]) -> str:
    """Return a name that no other tool has."""
    name = "json_output"
    while name in taken:
        name += "_"
    return name

"""The format of an answer in words, where nothing else holds a model to it."""

from typing import Any

from gateway.hub.protocol import JSON
from gateway.wire.jsontext import dumps

_INSTRUCTING = frozenset({"system", "developer"})


def instruction(response_format: Any) -> str:
    """Return the system text that asks for the format; empty where none is asked for.

    It depends on the request's format alone, so that prompts stay cacheable.
    """
    match response_format:
        case {"type": "json_object"}:
            return (
                "Answer with a single JSON object and nothing else: no prose before or "
                "after it and no code fences."
            )
        case {"type": "json_schema", "json_schema": dict(described)}:
            schema = dumps(described.get("schema") or {"type": "object"})
            return (
                "Answer with a single JSON object and nothing else: no prose before or "
                "after it and no code fences. The object must be valid against this "
                f"JSON schema: {schema}"
            )
    return ""


def instructed(messages: list[Any], wanted: str, role: str = "system") -> list[Any]:
    """Return `messages` with `wanted` behind the instructions that they begin with.

    It takes the role of those, else `role`.
    """
    place = 0
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in _INSTRUCTING:
            break
        role = message["role"]
        place += 1
    told: JSON = {"role": role, "content": wanted}
    return [*messages[:place], told, *messages[place:]]

"""What is said in words to models that have no other way: formats, calls, results."""

from typing import Any

from gateway.hub.protocol import JSON
from gateway.hub.requests.rendering import Rendering
from gateway.wire.jsontext import dumps


def asked_in_words(rendering: Rendering) -> str:
    """Return `instruction` for a request; a schema asked for so is a downgrade."""
    wanted = rendering.body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        rendering.losses.downgrade("response_format")
    return instruction(wanted)


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


def called(name: str, arguments: str | JSON | None) -> str:
    """Return a tool call."""
    text = arguments if isinstance(arguments, str) else dumps(arguments or {})
    return f"[called {name}({text})]"


def result_of(name: str, said: str) -> str:
    """Return a tool's result."""
    return f"[result of {name}: {said}]"

"""What is said in words to models that have no other way: formats, calls, results."""

from gateway.hub.protocol import JSON
from gateway.hub.requests.format_in_words import instruction
from gateway.hub.requests.rendering import Rendering
from gateway.wire.jsontext import dumps


def asked_in_words(rendering: Rendering) -> str:
    """Return `instruction` for a request; a schema asked for so is a downgrade."""
    wanted = rendering.body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        rendering.losses.downgrade("response_format")
    return instruction(wanted)


def called(name: str, arguments: str | JSON | None) -> str:
    """Return a tool call."""
    text = arguments if isinstance(arguments, str) else dumps(arguments or {})
    return f"[called {name}({text})]"


def result_of(name: str, said: str) -> str:
    """Return a tool's result."""
    return f"[result of {name}: {said}]"

"""A request that says nothing: Ollama's clients have a model loaded by it.

Nothing is to be loaded here: a model that may be used is ready.
https://github.com/ollama/ollama/blob/main/docs/api.md#load-a-model
"""

from gateway.doors.ollama.answer import head
from gateway.doors.protocol import JSON


def of_chat(body: JSON, now: float) -> JSON:
    """Return the answer to a conversation without a message, at `now` of Unix time."""
    return _answer(body, now, {"message": {"role": "assistant", "content": ""}})


def of_prompt(body: JSON, now: float) -> JSON:
    """Return the answer to no prompt."""
    return _answer(body, now, {"response": ""})


def _answer(body: JSON, now: float, said: JSON) -> JSON:
    # A model that is not to be kept is one to unload.
    unloads = body.get("keep_alive") in (0, "0", "0s")
    return {
        **head({"created": now}, str(body.get("model"))),
        **said,
        "done": True,
        "done_reason": "unload" if unloads else "load",
    }

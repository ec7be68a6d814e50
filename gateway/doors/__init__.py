"""The formats that clients speak: a door is a translator seen from the other side."""

from gateway.doors import chat, embeddings, messages, ollama, responses
from gateway.doors.plain import completions, moderations
from gateway.doors.protocol import Door

__all__ = ["DOORS", "NAMES"]

_ALL = (chat, responses, messages, ollama)

DOORS: dict[str, Door] = {door.NAME: door for door in _ALL}
"""By the name that the ledger knows."""

NAMES = (*DOORS, embeddings.NAME, completions.NAME, moderations.NAME)
"""What the gateway answers: each name is that of a format, in the ledger as well."""

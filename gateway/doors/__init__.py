"""The formats that clients speak: a door is a translator seen from the other side."""

from gateway.doors import chat, messages, ollama, responses
from gateway.doors.protocol import Door

__all__ = ["DOORS"]

_ALL = (chat, responses, messages, ollama)

DOORS: dict[str, Door] = {door.NAME: door for door in _ALL}
"""By the name that the ledger knows."""

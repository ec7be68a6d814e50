"""The formats that clients speak: a door is a translator seen from the other side."""

from gateway.doors import chat, messages, responses
from gateway.doors.protocol import Door

__all__ = ["DOORS"]

DOORS: dict[str, Door] = {door.NAME: door for door in (chat, responses, messages)}
"""By the name that the ledger knows."""

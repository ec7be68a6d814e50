"""The formats that clients speak: a door is a translator seen from the other side."""

from gateway.doors import chat, responses
from gateway.doors.protocol import Door

__all__ = ["DOORS"]

DOORS: dict[str, Door] = {chat.NAME: chat, responses.NAME: responses}
"""By the name that the ledger knows."""

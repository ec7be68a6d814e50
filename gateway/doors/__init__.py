"""The formats that clients speak: a door is a translator seen from the other side."""

from gateway.doors import chat
from gateway.doors.protocol import Door

__all__ = ["DOORS"]

DOORS: dict[str, Door] = {chat.NAME: chat}
"""By the name that the ledger knows."""

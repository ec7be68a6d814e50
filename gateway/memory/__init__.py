"""The items of answers, kept for clients that will only name them.

The only thing that a door remembers. Who does not bring an item's id cannot read it:
not an administrator, and nobody who has a copy of the database.
"""

from gateway.memory.rows import find, forget, keep

__all__ = ["find", "forget", "keep"]

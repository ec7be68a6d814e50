"""JSON of which only the frame is read: what is large stays text.

A thousand vectors are a hundred megabytes of numbers that nobody here needs.
"""

import msgspec

from gateway.wire.jsontext import JSONError

__all__ = ["JSONError", "Unread", "members", "objects"]

Unread = msgspec.Raw
"""A value as JSON text; it is written as it stands."""

members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""The members of a JSON object by name; raises one of `JSONError` where it is none."""

objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
"""The objects of a JSON array, each as `members` gives it; raises likewise."""

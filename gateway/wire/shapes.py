"""The shape of a decoded value, judged as a whole instead of field by field.

msgspec compares it in less time than it takes the interpreter to read two fields.

>>> class Named(Shape):
...     name: Text
...     error: Absent = ABSENT
>>> fits({"name": "x", "more": 1}, Named), fits({"name": "x", "error": None}, Named)
(True, False)
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec

__all__ = [
    "ABSENT",
    "Absent",
    "AtLeastOne",
    "Count",
    "ExactlyOne",
    "Natural",
    "Shape",
    "Share",
    "Text",
    "Tokens",
    "fits",
    "reader_of",
    "shaped",
]

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

Shape = msgspec.Struct
"""What an object holds at least, by the types of its fields."""

Absent = msgspec.UnsetType
"""The type of a field that the object must not hold, not even as null."""
ABSENT = msgspec.UNSET

Text = Annotated[str, msgspec.Meta(min_length=1)]
Count = Annotated[int, msgspec.Meta(gt=0)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=500_000_000)]
"""A count of which three together are no more than 31 bits hold."""
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A number from 0 to 1, whole or not."""
AtLeastOne = Annotated[list[T], msgspec.Meta(min_length=1)]
ExactlyOne = Annotated[list[T], msgspec.Meta(min_length=1, max_length=1)]


def fits(value: Any, shape: type[Shape]) -> bool:
    """Tell whether a value has a shape."""
    return shaped(value, shape) is not None


def shaped(value: Any, shape: type[S]) -> S | None:
    """Return a value in its shape, None where it has another."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return None


def reader_of(shape: type[T]) -> Callable[[bytes | memoryview], T]:
    """Return what reads JSON text of a shape; it raises one of `JSONError`."""
    return msgspec.json.Decoder(shape).decode

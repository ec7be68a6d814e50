"""The shape of a decoded value, judged as a whole instead of field by field.

msgspec compares it in less time than it takes the interpreter to read two fields.

>>> class Named(Shape):
...     name: Text
...     error: Absent = ABSENT
>>> fits({"name": "x", "more": 1}, Named), fits({"name": "x", "error": None}, Named)
(True, False)
"""

from typing import Annotated, Any, TypeVar

import msgspec

__all__ = ["ABSENT", "Absent", "AtLeastOne", "Count", "Shape", "Text", "fits"]

T = TypeVar("T")

Shape = msgspec.Struct
"""What an object holds at least, by the types of its fields."""

Absent = msgspec.UnsetType
"""The type of a field that the object must not hold, not even as null."""
ABSENT = msgspec.UNSET

Text = Annotated[str, msgspec.Meta(min_length=1)]
Count = Annotated[int, msgspec.Meta(gt=0)]
AtLeastOne = Annotated[list[T], msgspec.Meta(min_length=1)]


def fits(value: Any, shape: type[Shape]) -> bool:
    """Tell whether a value has a shape."""
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return False
    return True

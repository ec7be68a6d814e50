"""What the value of a keyword must be that holds no schema, in draft 2020-12.

https://json-schema.org/draft/2020-12/json-schema-validation
"""

import re
import warnings
from collections.abc import Callable
from typing import Any

from gateway.hub.requests.schemas.older import is_anchor

_of_python_alone = re.compile(r"\(\?(?:P|#|>|[aiLmsux-]+[:)])|\\[AZ]").search


def is_pattern(value: Any) -> bool:
    """Tell whether `value` is a regular expression, as far as all dialects agree.

    Vendors compile it; one that theirs does not know has them refuse the request.
    """
    if not isinstance(value, str) or _of_python_alone(value):
        return False
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(value)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_true_or_false(value: Any) -> bool:
    return isinstance(value, bool)


def _is_anchor(value: Any) -> bool:
    return isinstance(value, str) and is_anchor(value) is not None


def _are_names_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and len(set(names)) == len(names)
        for names in value.values()
    )


_COUNTS = "maxContains maxItems maxLength maxProperties minContains minItems minLength"
_TEXTS = "$comment $dynamicRef $ref $schema contentEncoding contentMediaType format"

IS_RIGHT: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_TEXTS.split(), _is_text),
    **dict.fromkeys(f"{_COUNTS} minProperties".split(), _is_count),
    **dict.fromkeys(
        ["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"], _is_number
    ),
    **dict.fromkeys(
        ["deprecated", "readOnly", "uniqueItems", "writeOnly"], _is_true_or_false
    ),
    **dict.fromkeys(["$anchor", "$dynamicAnchor"], _is_anchor),
    "$id": lambda value: isinstance(value, str) and "#" not in value[:-1],
    "$vocabulary": _is_object,
    "dependentRequired": _are_names_by_name,
    "enum": lambda value: isinstance(value, list) and bool(value),
    "examples": _is_list,
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "pattern": is_pattern,
}
"""Whether a value is one that its keyword may have."""

SILENT = frozenset({"$anchor", "$comment", "$dynamicAnchor", "$id", "$vocabulary"})
"""Keywords that tell a model nothing: a wrong one is not worth a word."""

"""What a request may hold, refused in the words that clients of the Messages API match.

The path of the field comes first: https://platform.claude.com/docs/en/api/errors
"""

from typing import Any

from gateway.errors import GatewayError, invalid_request
from gateway.wire.jsontext import JSON


def missing(path: str) -> GatewayError:
    """Return the 400 for a field that must be there."""
    return invalid_request(f"{path}: Field required", param=path, code="missing_field")


def invalid(path: str, problem: str) -> GatewayError:
    """Return the 400 for a value that is wrong in a way that `problem` tells."""
    return invalid_request(f"{path}: {problem}", param=path, code="invalid_value")


def wrong_type(path: str, kind: str) -> GatewayError:
    """Return the 400 for a value that is no `kind`."""
    return invalid(path, f"Input should be a valid {kind}")


def not_offered(path: str, problem: str) -> GatewayError:
    """Return the 400 for what is right, but cannot be said to this upstream."""
    return invalid_request(
        f"{path}: {problem}", param=path, code="unsupported_parameter"
    )


def unknown_tag(path: str, tag: Any, expected: tuple[str, ...]) -> GatewayError:
    """Return the 400 for a `type` that is none of those `expected`."""
    known = ", ".join(f"'{each}'" for each in expected)
    return invalid(
        path,
        f"Input tag '{str(tag)[:64]}' found using 'type' does not match any of the "
        f"expected tags: {known}",
    )


def text_in(holder: JSON, field: str, path: str) -> str:
    """Return the text that must stand in a field; `path` is the holder's."""
    value = holder.get(field)
    if value is None:
        raise missing(f"{path}.{field}")
    if not isinstance(value, str):
        raise wrong_type(f"{path}.{field}", "string")
    return value


def optional(body: JSON, field: str, types: type, kind: str, path: str = "") -> Any:
    """Return a field's value, None where it is absent; `path` is the holder's."""
    value = body.get(field)
    if value is not None and not isinstance(value, types):
        raise wrong_type(f"{path}.{field}" if path else field, kind)
    return value


def number(body: JSON, field: str, low: float, high: float) -> float | None:
    """Return a number within bounds, None where it is absent."""
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(field, "number")
    if value < low:
        raise invalid(field, f"Input should be greater than or equal to {low:g}")
    if value > high:
        raise invalid(field, f"Input should be less than or equal to {high:g}")
    return value


def integer(value: Any, path: str, low: int) -> int:
    """Return an integer of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(path, "integer")
    if value < low:
        raise invalid(path, f"Input should be greater than or equal to {low}")
    return value

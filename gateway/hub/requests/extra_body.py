"""`extra_body`: what SDKs take for fields that they do not know."""

from gateway.hub.protocol import JSON

_FIXED = frozenset({"model", "messages", "stream"})
"""Decided on at the top level: an extension cannot replace it."""


def with_extra_body(body: JSON) -> JSON:
    """Return a request with its `extra_body` at the top level, as SDKs send it.

    One that is no object adds nothing. `body` itself is returned where it has none.
    """
    if "extra_body" not in body:
        return body
    extra = body["extra_body"]
    merged = {field: value for field, value in body.items() if field != "extra_body"}
    if isinstance(extra, dict):
        merged |= {field: extra[field] for field in extra if field not in _FIXED}
    return merged

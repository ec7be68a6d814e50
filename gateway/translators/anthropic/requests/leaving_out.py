"""Fields of a request that a server refuses, by their paths."""

from collections.abc import Iterable

from gateway.hub.protocol import JSON

_NEEDED = frozenset({"model", "messages", "stream"})


def without(body: JSON, paths: Iterable[str]) -> tuple[JSON, tuple[str, ...]]:
    """Return `body` without what stands at `paths`, and those that were there.

    A path leads through objects by their keys: ``metadata.user_id``. What would be left
    empty by it goes as well.

    >>> without({"max_tokens": 1, "metadata": {"user_id": "u"}}, ["metadata.user_id"])
    ({'max_tokens': 1}, ('metadata.user_id',))
    """
    found = []
    for path in paths:
        if path in _NEEDED:
            continue
        shorter = _without(body, path.split("."))
        if shorter is not body:
            body = shorter
            found.append(path)
    return body, tuple(found)


def _without(body: JSON, keys: list[str]) -> JSON:
    """Return `body` without what is at `keys`, itself where there is nothing."""
    first, *others = keys
    if first not in body:
        return body
    rest = {key: body[key] for key in body if key != first}
    if not others:
        return rest
    inner = body[first]
    if not isinstance(inner, dict):
        return body
    shorter = _without(inner, others)
    if shorter is inner:
        return body
    return (
        {key: shorter if key == first else body[key] for key in body}
        if shorter
        else rest
    )

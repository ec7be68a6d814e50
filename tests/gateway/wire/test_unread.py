"""Members whose list is read once are what they are when all is read twice."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.wire import unread

NAMES = st.sampled_from(["data", "model", "usage", "x", '"data"', "é"])
VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from(["a", "data", "[", "]", '"', "null"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=10,
)
ITEMS = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3)


def twice(raw):
    """Read all, and then the list."""
    found = unread.members(raw)
    return found, unread.objects(found["data"])


def told(read, raw):
    """Return what was read as bytes, or the kind of the error."""
    try:
        found, objects = read(raw)
    except (*unread.JSONError, KeyError) as error:
        return type(error) is KeyError
    each = [{name: bytes(part) for name, part in one.items()} for one in objects]
    return [*((name, bytes(part)) for name, part in found.items())], each


@given(
    st.dictionaries(NAMES, VALUES, max_size=3),
    ITEMS | VALUES,
    st.integers(0, 3),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]),
    st.text('[]{},:"an', max_size=3),
    st.integers(0, 400),
)
@example({"data": 1}, [{"a": 1}], 0, (",", ":"), "", 0)
@example({"x": {"data": [1]}}, [{"a": 1}], 1, (",", ":"), "", 0)
def test_a_list_is_read_once_as_it_is_twice(others, items, place, separators, odd, at):
    others.pop("data", None)
    pairs = [*others.items()]
    pairs.insert(place % (len(pairs) + 1), ("data", items))
    text = json.dumps(dict(pairs), separators=separators)
    for each in (text, text[:at] + odd + text[at:]):
        raw = each.encode()
        assert told(lambda raw: unread.with_objects(raw, "data"), raw) == told(
            twice, raw
        )


def test_nearly_every_list_is_read_once():
    items = [{"object": "embedding", "index": 0, "embedding": [0.5, 1]}]
    raw = json.dumps({"object": "list", "data": items, "model": "m"}).encode()
    assert unread._divided(raw, "data") is not None

"""The model's name in what is passed on: the quick way, and the one that looks."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.hub.answers.names import Names
from gateway.wire.jsontext import decode, encode
from gateway.wire.spans import replaced, value_span

TEXTS = st.sampled_from(
    ["model", '"model"', '"model":"m"', '"model": "m"', "m", "m-2", "é", '"', "\\"]
)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


def put(text: bytes, name: str, depth: int) -> bytes:
    """Return what stands there when every place is looked at."""
    span = value_span(text, "model", depth)
    return text if span is None else replaced(text, span, encode(name))


@given(
    OBJECTS,
    TEXTS,
    st.integers(0, 4),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]),
    st.booleans(),
)
@example({'"model"': 1}, "m", 1, (",", ":"), True)
@example({"a": '"model":"m"'}, "m", 1, (",", ":"), True)
@example({"a": {"model": "m"}}, "m", 1, (",", ":"), True)
def test_a_name_is_put_where_its_key_stands(others, told, place, separators, escapes):
    """As it is told in a body, whatever stands beside it, and however it is written."""
    others.pop("model", None)
    pairs = list(others.items())
    pairs.insert(place % (len(pairs) + 1), ("model", told))
    text = json.dumps(dict(pairs), separators=separators, ensure_ascii=escapes).encode()
    names, body = Names("asked", told), decode(text)
    assert names.for_client(text, body) == put(text, "asked", 1)
    sent = Names(told, "upstream").for_upstream(text, body)
    assert sent == put(text, "upstream", 1)
    event = b'event: x\ndata: {"type":"x","message":%b}\n\n' % text
    assert names.in_start(event, body) == put(event, "asked", 2)

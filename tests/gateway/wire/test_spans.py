"""Where in a JSON text a value stands."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.spans import replaced, value_span

TEXTS = st.sampled_from(
    ["model", '"model"', '"model":"x"', 'a "model', "\\", '\\"', "}{", "é", "plain"]
)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES), TEXTS, st.integers(0, 6), st.booleans())
def test_the_outermost_model_is_found_and_nothing_else_changes(
    others, model, place, spaced
):
    others.pop("model", None)
    pairs = list(others.items())
    pairs.insert(place % (len(pairs) + 1), ("model", model))
    separators = (" , ", " : ") if spaced else (",", ":")
    text = json.dumps(dict(pairs), separators=separators).encode()
    span = value_span(text, "model")
    assert span is not None
    assert json.loads(text[slice(*span)]) == model
    changed = replaced(text, span, b'"new"')
    assert list(json.loads(changed).items()) == list(
        {**dict(pairs), "model": "new"}.items()
    )
    assert changed[: span[0]] == text[: span[0]]
    assert changed[span[0] + 5 :] == text[span[1] :]


def test_a_key_may_be_written_with_escapes():
    text = rb'{"x":{"model":"inner"},"\u006dod\u0065l":"outer"}'
    assert text[slice(*value_span(text, "model"))] == b'"outer"'


def test_a_key_further_in_is_found_at_its_depth():
    text = b'{"model":"outer","message":{"model":"inner"}}'
    assert text[slice(*value_span(text, "model", depth=2))] == b'"inner"'


def test_a_value_that_is_no_string_has_no_span():
    assert value_span(b'{"model": 3}', "model") is None


def test_what_only_looks_like_a_key_has_no_span():
    for text in (rb'["\"model\" : \"x\""]', rb'{"a": "model"}', b"{}"):
        assert value_span(text, "model") is None

"""Request bodies are JSON objects, one way to read them, or a 400 that says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.entry import bodies
from gateway.errors import GatewayError

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.proves("1.7")
@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'"text"', "invalid_json"),
        (b'{"a": NaN}', "invalid_json"),
        (b'{"a": Infinity}', "invalid_json"),
        (b'{"a": 1e400}', "invalid_json"),
        (b'{"a": ' + b"1" * 4301 + b"}", "invalid_json"),
        (b'{"a": 1, "a": 2}', "invalid_json"),
        (b'{"model": "x", "\\u006dodel": "y"}', "invalid_json"),
        (b'{"a": "\\ud800"}', "invalid_json"),
        (b'{"a": "\xff"}', "invalid_json"),
        (b'{"a": ' + b"[" * 128 + b"]" * 128 + b"}", "invalid_json"),
        (b'{"a": [' + b"[]," * 70_000 + b"[]]}", "request_too_complex"),
    ],
)
def test_a_body_that_is_not_plain_json_is_a_400(raw, code):
    with pytest.raises(GatewayError) as raised:
        bodies.parse(raw)
    assert (raised.value.status, raised.value.code) == (400, code)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": {"a": 1}, "b": "\\"a\\""}',
        b'{"caf\\u00e9": 1, "b": "\\u003c"}',
        b'{"a": ' + b"[" * 127 + b"]" * 127 + b"}",
        b'{"a": "' + b"[" * 1000 + b'"}',
        b'{"a": "' + b"1" * 5000 + b'"}',
        b'{"n": 123456789012345678901234567890}',
    ],
)
def test_an_unusual_but_plain_body_is_read_as_it_stands(raw):
    assert bodies.parse(raw) == json.loads(raw)


@pytest.mark.proves("1.7")
@given(st.binary())
def test_no_bytes_raise_anything_but_a_400(raw):
    try:
        bodies.parse(raw)
    except GatewayError as error:
        assert error.status == 400  # noqa: PT017  not raising is fine as well


@given(st.dictionaries(st.text(), JSON_VALUES))
def test_every_json_object_is_read_as_the_standard_parser_reads_it(value):
    raw = json.dumps(value).encode()
    try:
        parsed = bodies.parse(raw)
    except GatewayError as refusal:
        if "stands twice" in refusal.message:
            # Other parsers take such keys for one another.
            alike = [key.partition("\0")[0].casefold() for key in value]
            assert len(set(alike)) < len(alike)
            return
        # Python writes lone surrogates; no strict parser takes them.
        with pytest.raises(UnicodeEncodeError):
            json.dumps(value, ensure_ascii=False).encode()
    else:
        assert parsed == value


def test_a_large_accepted_body_is_read_in_well_under_a_second():
    raw = b'{"messages": [' + b'{"role": "user", "content": "hi"},' * 60_000 + b"1]}"
    assert len(bodies.parse(raw)["messages"]) == 60_001

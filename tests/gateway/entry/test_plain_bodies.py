"""What is found to be fine at once is what the long way finds fine, word for word."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.entry import bodies
from gateway.entry.plain_bodies import Read, read_plain
from gateway.errors import GatewayError
from gateway.wire.jsontext import decode
from tests.at_once import at_once
from tests.gateway.entry.altering import altered

KEYS = st.sampled_from(
    [
        "model",
        "Model",
        "messages",
        "stream",
        "a-b",
        "café",
        "CAFÉ",
        "\u017ftream",
        "",
        "a b",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from('a"\\[]{}:,\n1é\U0001f600/\0')),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)
STYLES = st.sampled_from(
    [
        {"separators": (",", ":"), "ensure_ascii": False},
        {},
        {"indent": 1},
        {"separators": (" ,\t", "\r\n:  ")},
    ]
)
# What somebody puts into a body who wants it to be read in two ways, or not at all.
TRICKS = st.sampled_from(
    [
        b'"model":1,',
        b'"\\u006dodel":1,',
        b'"mode\\u006c\\u0000":1,',
        b'"Model":{},',
        b',"model":"x"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\\"model\\":1"',
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"1E+2",
        b"01",
        b"-0",
        b"7" * 4300,
        b"7" * 4301,
        b"0." + b"7" * 5000,
        b'"' + b"7" * 5000 + b'"',
        b"[" * 127 + b"]" * 127,
        b"[" * 128 + b"]" * 128,
        b'{"a":' * 128 + b"1" + b"}" * 128,
        b'"' + b"[" * 200 + b'"',
        b"[]," * 200,
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\0",
        b"\\",
        b'"',
        b"{",
        b"}",
        b",",
        b"\n",
        b"/**/",
    ]
)


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Return the text of a body, somewhere in which something else stands."""
    style = draw(STYLES)
    text = json.dumps(draw(st.dictionaries(KEYS, VALUES)), **style).encode()
    return draw(altered(text, TRICKS, most=3))


def quick(raw: bytes) -> Any:
    """Return what is read the short way, where that has a word in it."""
    read = read_plain(raw)
    return bodies.judged(raw) if read is None else read.body


def verdict(read: Any, raw: bytes) -> Any:
    """Return what is read, or the refusal in its words."""
    try:
        return read(raw)
    except GatewayError as error:
        return error.status, error.code, error.message


@pytest.mark.proves("1.7")
@given(texts() | st.binary())
@example(b'{"model":"a","Model":"b"}')
@example(b'{"a":{"b":1,"b":2}}')
@example(b'{"a":1,"b":2,"a":3,"b":4}')
@example(b'{"a":"1,\\"a\\":2","a":"1"}')
@example(b' \n{"a" :1} \t')
@example(b'{"a":1}\0')
def test_both_ways_give_one_verdict_in_the_same_words(raw):
    assert verdict(quick, raw) == verdict(bodies.judged, raw)


@given(texts())
def test_a_member_stands_where_it_is_said_to_stand(raw):
    read = read_plain(raw)
    if read is None or read.members is None:
        return
    assert list(read.members) == list(read.body)
    for key, (start, end) in read.members.items():
        assert decode(raw[start:end]) == read.body[key]


@pytest.mark.proves("1.7")
@pytest.mark.parametrize("lead", [0, 1, 255, 511])
@pytest.mark.parametrize(
    ("value", "is_refused"),
    [
        (b"[" * 127 + b"]" * 127, False),
        (b"[" * 128 + b"]" * 128, True),
        (b'{"a":' * 127 + b"[]" + b"}" * 127, True),
        (b"[" + b"[]," * 65_534 + b"1]", False),
        (b"[" + b"[]," * 65_535 + b"1]", True),
        (b"[" + b"1," * 262_143 + b"1]", False),
        (b"[" + b"1," * 262_144 + b"1]", False),
        (b"[" + b"1," * 262_145 + b"1]", True),
        (b"1" * 4_300, False),
        (b"1" * 4_301, True),
        (b"0." + b"1" * 4_300, False),
        (b"0." + b"1" * 4_301, True),
        (b'"' + b"1" * 4_301 + b'"', False),
    ],
)
def test_bounds_are_the_same_wherever_they_are_reached(lead, value, is_refused):
    raw = b" " * lead + b'{"a":' + value + b"}"
    said = verdict(quick, raw)
    assert said == verdict(bodies.judged, raw)
    assert isinstance(said, tuple) is is_refused


@pytest.mark.proves("1.7")
@at_once("kinds", ["[", "{", "[{", "{[", "[[{", "{{[", "[{{{{{["])
@at_once("core", [1, None, "", '"[{', [], {}, [1, "a"], {"a": "]}"}])
@at_once("depth", [126, 127, 128, 129])
def test_depth_is_the_same_whatever_nests(kinds, core, depth):
    containers = depth - isinstance(core, list | dict)
    raw = json.dumps(nested(kinds, containers, core)).encode()
    said = verdict(quick, raw)
    assert said == verdict(bodies.judged, raw)
    assert isinstance(said, tuple) is (depth > 128)
    assert isinstance(read_plain(raw), Read) is (depth <= 128)


def nested(kinds: str, depth: int, value: Any) -> dict[str, Any]:
    """Return an object with `value` within as many containers, of `kinds` in turn.

    All hold something else besides, texts full of brackets among it.
    """
    for place in range(depth - 1):
        is_array = kinds[place % len(kinds)] == "["
        other: Any = [None, "[{" * 9, [], {"c": {}}][place % 4]
        value = [other, value] if is_array else {"a": value, "b": other}
    return {"a": "[" * 200, "b": value}


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b'{"model":"m","messages":[{"role":"user","content":"\\"caf\xc3\xa9\\""}]}',
        b'{ "model" : "m",\r\n\t"Stop": [1.50, {"model": "n"}] }\n',
        b'{"a-b": "' + b"[" * 1000 + b'"}',
        b'{"a":' + b"[" * 127 + b"]" * 127 + b',"b":[]}',
    ],
)
def test_what_nobody_can_misread_goes_the_short_way(raw):
    read = read_plain(raw)
    assert read is not None
    assert read.body == json.loads(raw)

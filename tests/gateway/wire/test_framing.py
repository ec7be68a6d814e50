"""A guess where members stand is right wherever every value can be read by itself."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.wire.framing import Seen, framed
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.members import members_of

MESSAGES = '[{"role":"user","content":"hi"}]'
LISTS = (MESSAGES, '[{"a":[{"b":"]"}]}]', '[{"a":"b","c":["d"]}]', "[]", '["}]"]')
KEYS = st.sampled_from(["model", "messages", "tools", "stop", "a b", "é", r"\u0061"])
VALUES = st.sampled_from(
    [*LISTS, "1", "-1.5e3", "true", '"m"', r'"\""', '{"a":true}', '["x"]', '{"a":[]}']
)
BLANKS = st.sampled_from(["", " ", "\n", " \t"])


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Return the text of an object, or something near to one."""
    blank = draw(BLANKS)
    pairs = draw(st.lists(st.tuples(KEYS, VALUES), max_size=6))
    members = [f'"{key}"{blank}:{blank}{value}' for key, value in pairs]
    text = f"{blank}{{{blank}{f'{blank},{blank}'.join(members)}{blank}}}{blank}"
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(text)))
        text = (
            text[:cut] + draw(st.sampled_from(['"', ",", "]", "}", "\0"])) + text[cut:]
        )
    return text.encode()


def read_apart(text: bytes, seen: tuple[bytes, ...]) -> dict[str, object] | None:
    """Return the values that are read where they are said to stand, if all are."""
    found = framed(text, seen)
    if found is None:
        return None
    for key, known in found.seen.items():
        start, end = found.spans[key]
        assert text[start:end] == known
    try:
        return {key: decode(text[s:e]) for key, (s, e) in found.spans.items()}
    except JSONError:
        return None


@pytest.mark.proves("1.8")
@given(texts(), st.sets(st.sampled_from(LISTS)))
@example(b'{"a":%b,"a":%b}' % ((MESSAGES.encode(),) * 2), set())
@example(b'{"a":%b,"b":[1],"c":["}]"]}' % MESSAGES.encode(), {'["}]"]'})
@example(b'{"a":[{"b":"c"}],"x":[{"b":"c"}]}', set())
def test_what_can_be_read_apart_stands_there(text, seen):
    values = read_apart(text, tuple(each.encode() for each in seen))
    if values is None:
        return
    assert list(values.items()) == list(decode(text).items())
    found = framed(text, tuple(each.encode() for each in seen))
    assert found is not None
    assert dict(found.spans) == members_of(text)


TURNS = [{"role": "user", "content": "hi " * 200}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"a": [1]}}}]


@pytest.mark.parametrize("style", [{}, {"separators": (",", ":")}, {"indent": 1}])
@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "messages": TURNS},
        {"messages": TURNS, "model": "m", "stream": True, "stop": ["a"]},
        {"messages": TURNS, "stream_options": {"include_usage": True}, "n": 1},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]},
        {"model": "m", "messages": TURNS, "tools": TOOLS, "temperature": 0.5},
        {"messages": TURNS, "model": "m", "tool_choice": "auto", "tools": TOOLS},
        {"tools": TOOLS, "messages": TURNS, "model": "m"},
        {"model": "m", "messages": TURNS, "stop": ["a"], "tools": TOOLS},
    ],
)
def test_requests_as_clients_write_them_are_told_at_once(body, style):
    text = json.dumps(body, **style).encode()
    members = members_of(text)
    assert members is not None
    start, end = members.get("tools", (0, 0))
    found = framed(text, [text[start:end]] if end else [])
    assert found is not None
    assert found.spans == members
    assert list(found.seen) == (["tools"] if end else [])


def test_what_is_kept_is_bounded_whoever_sends_what():
    seen = Seen(range(10, 100), 1000)
    for number in range(5000):
        text = b"%050d" % number
        assert not seen.is_again(text)
        assert seen.is_again(text)
        seen.keep(text, number)
    assert sum(map(len, seen)) <= 1000
    assert seen[text] == 4999
    assert seen.at(b"--" + text, (2, 52)) == text
    assert seen.at(b"--" + text, (1, 51)) is None
    assert len(seen._once) <= 256


@pytest.mark.parametrize("size", [9, 100])
def test_what_is_short_or_too_long_is_not_kept(size):
    seen = Seen(range(10, 100), 1000)
    assert [seen.is_again(b"x" * size) for _ in range(3)] == [False] * 3

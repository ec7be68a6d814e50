"""What we decide on is what an upstream reads, whatever its parser makes of it.

Where both sides speak the same format the bytes go on as they came. So what is let in
must have one reading at its top level: for parsers that keep to the standard, and for
those that take the first of two keys, or do not tell capital letters from small ones.
"""

import json
from collections.abc import Callable
from typing import Any

import jiter
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.calls.passages import between
from gateway.doors import chat, messages, responses
from gateway.doors.protocol import Sent
from gateway.entry import bodies
from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.translators import anthropic, openai
from gateway.wire.jsontext import encode

Pairs = list[tuple[str, Any]]

MODEL = "claude-sonnet-5"
ROUTE = Route("alias", MODEL, options={"responses_api": "on"})
DOORS = {
    "messages": (messages, anthropic),
    "responses": (responses, openai),
    "chat": (chat, openai),
}
TO_THE_LETTER = ("messages", "responses")
"""Where blanks are kept as well."""


def first_wins(pairs: Pairs) -> dict[str, Any]:
    """Return an object as parsers do that stop at the first key that fits."""
    return dict(reversed(pairs))


def letters_alike(pairs: Pairs) -> dict[str, Any]:
    """Return an object as Go's encoding/json fills a struct: the last one wins.

    https://pkg.go.dev/encoding/json#Unmarshal
    """
    return {key.casefold(): value for key, value in pairs}


def cut_at_nul(pairs: Pairs) -> dict[str, Any]:
    """Return an object as parsers do whose strings end where C's do."""
    return {key.partition("\0")[0]: value for key, value in pairs}


LAX: list[Callable[[Pairs], dict[str, Any]]] = [first_wins, letters_alike, cut_at_nul]

# What a body decides, spelled as somebody would who wants to be read in two ways.
KEYS = st.sampled_from(
    [
        '"model"',
        '"Model"',
        '"MODEL"',
        r'"\u006dodel"',
        r'"m\u006fdel"',
        r'"model\u0000"',
        '"stream"',
        '"\u017ftream"',
        r'"\u0073tream"',
        '"max_tokens"',
        '"Max_Tokens"',
        '"metadata"',
        '"café"',
        r'"caf\u00e9"',
        r'"a\/b"',
        '"a/b"',
        r'"\"model\""',
    ]
)
VALUES = st.sampled_from(
    [
        '"alias"',
        '"other"',
        r'"\"model\":\"x\""',
        "true",
        "16",
        "1.0",
        "NaN",
        "1e999",
        '{"model":"inner","model":"twice"}',
        '[{"stream":true}]',
        r'"\ud83d\ude00"',
        r'"\ud83d"',
    ]
)
SEPARATORS = st.sampled_from([",", " , ", ",\n", ",,", ",/**/"])
INPUT = '"messages":[{"role":"user","content":"hi"}],"input":"hi","max_tokens":16'


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Return the text of a body: its model first, and anything at all around it."""
    pairs = draw(st.lists(st.tuples(KEYS, VALUES), max_size=3))
    members = ['"model":"alias"', INPUT, *(f"{key}:{value}" for key, value in pairs)]
    separator = draw(SEPARATORS) if draw(st.booleans()) else ","
    return ("{" + separator.join(draw(st.permutations(members))) + "}").encode()


def relayed(door: str, raw: bytes) -> bytes:
    """Return what goes upstream for a body; raises GatewayError."""
    where, translator = DOORS[door]
    raw += b" " * 8192  # A small chat is written anew.
    read = bodies.read(raw, chat.SHAPES if door == "chat" else None)
    where_from = Sent({}, raw=raw, members=read.members, is_outlined=read.is_outline)
    asked = where.parse_request(read.body, where_from)
    sent = between(where, translator).prepare(asked, ROUTE).render({})
    assert sent.raw or read.members is None, "it was written anew"
    return sent.raw or encode(sent.body)


@pytest.mark.proves("1.8")
@pytest.mark.parametrize("door", DOORS)
@given(texts())
@example(b'{"model":"alias",%b}' % INPUT.encode())
@example(b'{"model":"alias","Model":"other",%b}' % INPUT.encode())
@example(b'{"model":"alias","caf\xc3\xa9":1,"caf\\u00e9":2,%b}' % INPUT.encode())
@example(b'{"model":"alias","model\\u0000":"other",%b}' % INPUT.encode())
def test_every_parser_reads_the_same_at_the_top_of_what_is_passed_on(door, raw):
    try:
        sent = relayed(door, raw)
    except GatewayError as error:
        assert error.status == 400  # noqa: PT017  most are let in
        return
    strict = orjson.loads(sent)
    assert strict["model"] == MODEL
    assert jiter.from_json(sent) == strict
    for as_read in LAX:
        pairs: Pairs = []
        # The outermost object is finished last.
        json.loads(sent, object_pairs_hook=lambda found, into=pairs: _keep(found, into))
        read = as_read(pairs)
        assert len(read) == len(strict), as_read
        assert read["model"] == MODEL, as_read


def _keep(found: Pairs, into: Pairs) -> dict[str, Any]:
    into[:] = found
    return dict(found)


@pytest.mark.proves("1.8")
@pytest.mark.parametrize("door", TO_THE_LETTER)
def test_an_ordinary_body_is_passed_on_to_the_letter(door):
    raw = b'{ "model" : "alias",%b, "x":  [1.0]}' % INPUT.encode()
    assert relayed(door, raw).rstrip() == raw.replace(b'"alias"', f'"{MODEL}"'.encode())

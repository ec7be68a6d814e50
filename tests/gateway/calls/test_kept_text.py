"""What goes on in the client's own spelling says what would have been written anew."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.calls.passages import between
from gateway.calls.passages.short_frames import short_frames
from gateway.calls.passages.through_hub import ThroughHub
from gateway.doors import chat
from gateway.doors.protocol import NOTHING_SENT, Sent
from gateway.entry import bodies
from gateway.hub.protocol import JSON, Route
from gateway.translators import openai
from gateway.wire.jsontext import decode, encode

BLANKS = b" " * 8192
"""Small bodies are always written anew."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(0, 2) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant"]), "content": VALUES},
    optional={
        "thinking_blocks": VALUES,
        "is_error": st.booleans(),
        "content_parts": VALUES,
        "reasoning_content": st.text(),
    },
)
FIELDS = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGES | VALUES, min_size=1)},
    optional={
        "stream": st.booleans(),
        "stream_options": VALUES,
        "max_tokens": VALUES,
        "max_completion_tokens": VALUES,
        "temperature": VALUES,
        "tools": st.lists(st.just({"type": "function", "function": {"name": "f"}})),
        "response_format": st.just({"type": "json_schema", "json_schema": {}}),
        "reasoning": VALUES,
        "extra_body": VALUES,
        "seed": VALUES,
        "other": VALUES,
    },
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "drop_params": st.lists(st.sampled_from(["seed", "other", "tools"])),
        "max_tokens_field": st.sampled_from(["max_tokens", "max_completion_tokens"]),
        "include_usage": st.booleans(),
        "system_role": st.sampled_from(["system", "developer"]),
        "send_reasoning_content": st.booleans(),
    },
)
AVOIDED = st.frozensets(st.sampled_from([each.name for each in openai.AVOIDABLE]))
PASSAGE = between(chat, openai)


def sent(raw: bytes, route: Route) -> tuple[bytes, JSON]:
    """Return what is sent for a body, and what it is to say."""
    read = bodies.read(raw)
    asked = chat.parse_request(read.body, Sent({}, raw=raw, members=read.members))
    rendered = PASSAGE.prepare(asked, route).render({})
    return rendered.raw, rendered.body


@pytest.mark.proves("1.8")
@given(FIELDS, OPTIONS, AVOIDED, st.booleans())
@example({"messages": [1], "extra_body": {"model": "x"}}, {}, frozenset(), False)
def test_it_says_what_would_have_been_written_anew(fields, options, avoid, is_spaced):
    separators = (" , ", " : ") if is_spaced else (",", ":")
    text = json.dumps({"model": "alias", **fields}, separators=separators)
    route = Route("alias", "upstream", options=options, avoid=avoid)
    raw, body = sent(BLANKS + text.encode(), route)
    assert raw
    assert decode(raw) == decode(encode(body))
    assert decode(raw)["model"] == "upstream"


@given(FIELDS, OPTIONS, AVOIDED)
def test_it_is_rendered_as_over_the_hub(fields, options, avoid):
    asked = chat.parse_request({"model": "alias", **fields}, NOTHING_SENT)
    route = Route("alias", "upstream", options=options, avoid=avoid)
    long = ThroughHub(chat, openai, short_frames).prepare(asked, route)
    short = PASSAGE.prepare(asked, route)
    # How soon its answer is read changes nothing of it.
    assert short.render({})._replace(at_once=None) == long.render({})
    assert (short.remote_urls, short.client_path, short.keeps()) == ((), None, ())
    assert (list(long.remote_urls), long.client_path, long.keeps()) == ([], None, ())


def test_numbers_and_letters_keep_their_spelling():
    text = b'{"model":"alias","seed":1.50e0,"messages":[ {"content":"\\u00e9"}]}'
    raw, _ = sent(BLANKS + text, Route("alias", "upstream"))
    assert raw == text.replace(b"alias", b"upstream")


@pytest.mark.parametrize("size", [0, 1024 * 1024 + 1])
def test_a_small_or_large_body_is_not_kept_to_the_letter(size):
    text = b'{"model":"alias","messages":[{}]}' + b" " * size
    assert sent(text, Route("alias", "upstream"))[0] == b""

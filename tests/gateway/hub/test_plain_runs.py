"""Events that come together are told alike by their texts and by their rows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hub.answers.plain.frames import PlainFrames
from gateway.hub.answers.relay import Relayed, Texts
from gateway.hub.protocol import JSON
from gateway.translators.anthropic.answers import plain_text as of_claude
from gateway.translators.openai import plain_text as of_openai

CHUNK: JSON = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
PAYLOADS = {
    of_openai: b'{"choices":[{"index":0,"delta":{"content":"%b"}}]}',
    of_claude: b'{"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"%b"}}',
}
TEXTS = st.sampled_from(
    [
        "word ",
        "a",
        "",
        "é",
        "\u3000",
        "\U0001f600",
        "\x7f",
        "\\n",
        "\\ud83d",
        '\\"',
        "\t",
    ]
).map(str.encode) | st.sampled_from([b"\xc3", b"\xa9", b'"', b'"}}  ', b"\n", b"\r"])
EVENTS = st.lists(st.tuples(TEXTS, st.integers(0, 5).map(lambda n: n == 0)))


class Renderer:
    """Writes texts as a format of its own might."""

    def render(self, chunks: list[JSON]) -> bytes:
        raise AssertionError(chunks)

    def render_texts(self, texts: Texts) -> bytes | None:
        return None if b'"a"' in texts.strings else repr(texts).encode()


def known_of(format: Any) -> PlainFrames:
    known = PlainFrames.like(PAYLOADS[format] % b"a", CHUNK, format)
    assert known is not None
    return known


def event(format: Any, text: bytes, is_other: bool) -> bytes:
    payload = PAYLOADS[format] % text
    if is_other:
        payload = payload.replace(b'"index":0', b'"index":1')
    return bytes(format.HEAD) + payload + b"\n\n"


@pytest.mark.parametrize("renderer", [None, Renderer()])
@pytest.mark.parametrize("format", PAYLOADS)
@given(events=EVENTS, cut=st.integers(0, 90), before=st.binary(max_size=3))
def test_texts_are_told_as_their_rows_are(format, renderer, events, cut, before):
    known = known_of(format)
    data = before + b"".join([event(format, *each) for each in events])
    data = data[: -cut or None]
    run = known.run(data, len(before))
    rows = known.rows.run(data, len(before))
    if run is None or rows is None:
        assert run is rows is None or not data.startswith(known.head, len(before))
        return
    told = known.told(run, renderer)
    assert told == (rows.rows and known.rows.translate(rows.rows, renderer))
    assert run.end == rows.end


@pytest.mark.parametrize("format", PAYLOADS)
def test_bare_texts_are_not_looked_at_one_by_one(format):
    known = known_of(format)
    events = [event(format, text.encode(), False) for text in ("one ", "é ", "three")]
    data = b"".join(events)
    run = known.run(data + events[0][:-9], 0)
    assert run is not None
    assert run.end == len(data)
    assert run.bare is not None
    told = known.told(run, None)
    assert isinstance(told, Relayed)
    assert told.said == {"content": "one é three"}
    assert told.data.count(b"\n\n") == 3

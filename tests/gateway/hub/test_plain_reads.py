"""Bare text is read as what has something beside it is, however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hub.answers.plain.around import Around
from gateway.hub.answers.plain.reads import PlainReads

HEAD, TAIL = b'data: {"id":"c","text":"', b'","end":null}\n\n'
WORDS = ["word ", "a", "é", "\u3000", "\U0001f600", "\\n", "\\u0041", "\x7f", "", '\\"']
EVENTS = st.lists(
    st.sampled_from(WORDS).map(lambda word: HEAD + word.encode() + TAIL), max_size=4
).map(b"".join)
OTHERS = st.lists(
    st.sampled_from(
        [HEAD, TAIL, HEAD[:-1], TAIL[1:], b"w", b'"', b"\xc3", b"\n", b"\r"]
    )
).map(b"".join)
CUTS = st.integers(0, 40)


def reads() -> PlainReads:
    payload = [HEAD[len(b"data: ") : -1], TAIL[1:-2]]
    frame = [b"data: {", b"}\n\n"]
    return PlainReads(Around(b"data: ", payload, frame, {}, "content", True))


@given(begun=EVENTS, amid=OTHERS, then=EVENTS, cut=CUTS)
def test_bare_text_is_read_as_any(begun, amid, then, cut):
    known = reads()
    for data in (begun, amid, begun + amid + then, (begun + then)[: -cut or None]):
        assert known.read(data) == known.read_any(data, None)


@pytest.mark.parametrize("rest", [b"", HEAD[:9], HEAD + b"wor"])
def test_a_word_and_what_is_begun_behind_it(rest):
    told = reads().read(HEAD + b"word " + TAIL + rest)
    assert told is not None
    text, held = told
    assert (text.data, text.text, held) == (b'data: {"word "}\n\n', "word ", rest)

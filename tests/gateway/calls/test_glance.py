"""What goes on after a glance holds no credential, nor the beginning of one."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.passages import between
from gateway.calls.redaction import redact
from gateway.calls.redaction.glance import Glance, glance
from gateway.calls.redaction.withholding import Forms, Withholding, replaced
from gateway.doors import chat
from gateway.doors.protocol import NOTHING_SENT
from gateway.hub.answers.relay import Text
from gateway.hub.protocol import Reply
from gateway.translators import openai
from gateway.wire.jsontext import spellings
from providers.auth import LENT

KEY = "sk-up/s-skä-0123456789"
SPELLINGS = (*spellings(KEY), KEY.encode().hex().encode())
FORMS = Forms(SPELLINGS)
ASKED = chat.parse_request(
    {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True},
    NOTHING_SENT,
)

PIECES = st.sampled_from(
    [KEY, KEY[:9], KEY[9:], KEY.encode().hex(), "s", "sk", "skis", "5", "7", "73"]
) | st.text(st.characters(codec="utf-8"), max_size=4)
SAID = st.lists(PIECES, max_size=12)
PADDING = st.sampled_from([None, None, "", "ab1", KEY, KEY.encode().hex()])


def event(text: str, padding: str | None = None, **fields: Any) -> bytes:
    """Return an event as servers write it that do not escape what they need not."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    told = {"id": "c", "created": 1, "model": "m", "choices": [choice], **fields}
    if padding is not None:
        told["obfuscation"] = padding
    whole = json.dumps({"object": "chat.completion.chunk", **told}, ensure_ascii=False)
    return f"data: {whole}\n\n".encode()


def poured(reads: list[bytes]) -> tuple[bytes, int]:
    """Return what a client gets, and how many reads went on after a glance."""
    provider: Any = SimpleNamespace(secrets=SPELLINGS, auth=None)
    reader = between(chat, openai).reader(Reply("m", stream=True), ASKED)
    watch: Withholding[bytes] = Withholding(FORMS)
    look = glance(provider, watch)
    assert look is not None
    assert reader.text is not None
    out, glances = [], 0
    for read in reads:
        told = reader.text(read)
        if told is not None and look.is_clear(told):
            out.append(told.data)
            glances += 1
            continue
        relayed = reader.feed(read) if told is None else told.relayed()
        piece = watch.pass_on(relayed)
        out.append(redact(provider, piece.data) if piece else b"")
    rest = watch.rest()
    out.append(redact(provider, rest.data) if rest else b"")
    return b"".join(out), glances


def text_of(frames: bytes) -> str:
    lines = [each[6:] for each in frames.split(b"\n") if each.startswith(b"data: {")]
    choices = [json.loads(each)["choices"][0] for each in lines]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@given(said=SAID, paddings=st.lists(PADDING, min_size=12, max_size=12), size=st.data())
def test_no_cut_lets_a_key_through(said, paddings, size):
    padded = paddings[0] is not None
    raw = event("begun ") + b"".join(
        event(text, (padding or "") if padded else None)
        for text, padding in zip(["x", "y", *said], paddings * 2, strict=False)
    )
    every = size.draw(st.integers(60, 400))
    sent, _ = poured([raw[at : at + every] for at in range(0, len(raw), every)])
    whole = "begun xy" + "".join(said)
    assert text_of(sent) == replaced(replaced(whole, FORMS.find), FORMS.find_most)
    assert not any(spelled in sent for spelled in SPELLINGS)


@pytest.mark.parametrize("padding", [None, "ab1"])
def test_nearly_all_goes_on_after_a_glance(padding):
    sent, glances = poured([event(f"word {n}.", padding) for n in range(50)])
    assert text_of(sent) == "".join(f"word {n}." for n in range(50))
    assert glances == 47


@pytest.mark.parametrize("id", [KEY, f"c-{KEY}-1"])
def test_a_key_around_the_text_is_redacted_in_each_frame(id):
    sent, _ = poured([event(f"word {n}", id=id) for n in range(20)])
    assert KEY.encode() not in sent
    assert sent.count(b"[redacted]") == 20


TEXTS = st.text(st.sampled_from("abc-\né"), max_size=9)


@given(keys=st.lists(TEXTS.filter(bool), min_size=1, max_size=4), text=TEXTS)
def test_where_a_glance_finds_nothing_nothing_is(keys, text):
    forms = Forms(tuple(key.encode() for key in keys))
    if forms.glance(text) is None:
        assert forms.find(text) is None
        assert forms.start(text) == len(text)
        assert not any(key in text for key in keys)


def test_a_mark_that_is_a_credential_is_seen_as_well():
    look = Glance((b"redacted",), None)
    assert look.is_clear(Text(b'"word"', "word", "", KEY, "content"))
    assert not look.is_clear(Text(b'"redacted"', "redacted", "", KEY, "content"))


@pytest.mark.parametrize("kind", LENT)
def test_credentials_that_may_change_get_more_than_a_glance(kind):
    provider: Any = SimpleNamespace(secrets=SPELLINGS, auth=object.__new__(kind))
    assert glance(provider, None) is None


def test_a_credential_that_may_reach_beyond_a_string_gets_more_than_a_glance():
    provider: Any = SimpleNamespace(secrets=(b'sk-0","cre',), auth=None)
    assert glance(provider, None) is None

"""A credential that an upstream says again reaches nobody, however it is written."""

import base64
import html
import json
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls import redaction, router
from gateway.errors import GatewayError
from gateway.worker.registry import registry
from gateway.worker.snapshot import LOCAL

KEY = "sk-up/stream+key<0123>&'456789"
WRITTEN = {
    "plain": KEY,
    "base64": base64.b64encode(KEY.encode()).decode(),
    "a header in base64": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "a user in base64": base64.b64encode(f"me:{KEY};x".encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(f"k={KEY}".encode()).decode(),
    "hex": KEY.encode().hex(),
    "HEX": KEY.encode().hex().upper(),
    "percent": quote(KEY, safe=""),
    "percent in small letters": re.sub(
        "%..", lambda found: found[0].lower(), quote(KEY, safe="")
    ),
    "HTML": html.escape(KEY),
}


@pytest.mark.proves("3.8")
@pytest.mark.parametrize("form", WRITTEN)
def test_an_echoed_key_is_redacted_in_every_form(form, provider, gateway):
    provider(key=KEY)
    gateway()
    (target,) = router.find(registry.snapshot, "gpt-4o-mini", LOCAL)
    said = f'{{"echo": "{WRITTEN[form]}"}}'.encode()
    shown = redaction.redact(target.provider, said)
    assert b"[redacted]" in shown
    assert WRITTEN[form][8:-8].encode() not in shown


def escaped(text: str) -> str:
    """Return text as JSON with each character as an escape."""
    return "".join(f"\\u{ord(each):04x}" for each in text)


HIDDEN = {
    "all": escaped(KEY),
    "one": escaped(KEY[0]) + KEY[1:],
    "in capitals": escaped(KEY).upper().replace("\\U", "\\u"),
    "behind a backslash": "\\\\" + escaped(KEY),
}


@pytest.mark.proves("3.8")
@pytest.mark.parametrize("form", HIDDEN)
def test_a_key_is_not_hidden_in_a_stream_by_escapes(form, provider, gateway):
    provider(key=KEY)
    gateway()
    (target,) = router.find(registry.snapshot, "gpt-4o-mini", LOCAL)
    frame = f'data: {{"id": "{HIDDEN[form]}", "quoted": "\\u0022"}}\n\n'.encode()
    shown = redaction.redacted_piece(target.provider, frame)
    told = json.loads(shown.removeprefix(b"data: "))
    assert told["id"].removeprefix("\\") == "[redacted]"
    assert told["quoted"] == '"'


def test_a_stream_that_hides_nothing_goes_on_as_it_came(provider, gateway):
    provider(key=KEY)
    gateway()
    (target,) = router.find(registry.snapshot, "gpt-4o-mini", LOCAL)
    frame = b'data: {"a": "\\\\u0073k-up \\u003c\\u0022\\u0000 \\u00e9"}\n\n'
    assert redaction.redacted_piece(target.provider, frame) == frame


@pytest.mark.proves("3.8")
def test_a_refusal_is_redacted_in_all_that_it_names(provider, gateway):
    provider(key=KEY)
    gateway()
    (target,) = router.find(registry.snapshot, "gpt-4o-mini", LOCAL)
    error = GatewayError(400, KEY, KEY, code=KEY, param=KEY)
    shown = redaction.redacted(target.provider, error)
    told = (shown.type, shown.message, shown.code, shown.param)
    assert told == ("[redacted]",) * 4


SECRETS = st.text(min_size=1, max_size=6) | st.sampled_from(["aaaaaaaa", "sk-zQ", KEY])


@given(SECRETS, st.data())
def test_what_is_looked_for_by_its_rarest_bytes_is_found_wherever_it_stands(key, data):
    spellings = redaction._spellings(key)
    piece = st.sampled_from(spellings) | st.binary(max_size=6)
    said = b"".join(data.draw(st.lists(piece, max_size=6)))
    provider: Any = SimpleNamespace(secrets=spellings)
    expected = said
    for each in filter(None, spellings):
        expected = expected.replace(each, redaction.REDACTED)
    assert redaction.redact(provider, said) == expected

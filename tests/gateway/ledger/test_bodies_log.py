"""Requests are kept only where that is switched on, without keys and files."""

import pytest

from gateway.ledger import bodies_log
from gateway.ledger.flusher import Flusher
from gateway.models import CallBody
from gateway.worker.runtime import runtime


def kept(gateway, chat, **fields):
    gateway().post("/v1/chat/completions", json={**chat, **fields})
    flusher = Flusher(runtime.spool.folder)
    flusher.flush()
    return CallBody.objects.first()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_kept_by_default(gateway, provider, upstream, chat, completion):
    provider("openai")
    upstream(json=completion)
    assert kept(gateway, chat) is None


@pytest.mark.django_db(transaction=True)
def test_both_requests_are_kept_on_demand(
    gateway, provider, upstream, chat, completion, settings
):
    settings.LOG_BODIES = True
    provider("openai")
    upstream(json=completion)
    body = kept(gateway, chat, user="sk-abcdefgh12345678")
    assert '"content":"hi"' in body.asked
    assert '"content":"hi"' in body.sent
    assert body.sent_path
    assert "sk-abcdefgh" not in body.asked + body.sent


@pytest.mark.parametrize(
    "secret",
    [
        "ra_ag_0123456789abcdefghij",
        "sk-proj-abcdefgh12345678",
        "AKIAIOSFODNN7EXAMPLE",
        "Bearer abcdefghijklmnop",
        "ghp_0123456789abcdefghij",
    ],
)
def test_what_looks_like_a_key_is_not_kept(secret):
    text = bodies_log.kept({"messages": [{"content": f"use {secret} please"}]})
    assert secret.split()[-1] not in text
    assert "please" in text


def test_files_and_long_texts_are_cut():
    url = f"data:image/png;base64,{'A' * 500}"
    text = bodies_log.kept({"url": url, "long": "x" * 9000})
    assert "AAAA" not in text
    assert "[5000 characters more]" in text


def test_a_body_of_very_many_parts_is_cut():
    text = bodies_log.kept({"messages": ["x" * 3000] * 200})
    assert len(text) < bodies_log.MAX_BODY + 100


@pytest.mark.django_db(transaction=True)
def test_a_large_body_is_cut_before_it_is_spooled(
    gateway, provider, upstream, chat, completion, settings
):
    settings.LOG_BODIES = True
    provider("openai")
    upstream(json=completion)
    parts = [{"type": "text", "text": "x" * 50_000} for _ in range(100)]
    messages = [{"role": "user", "content": [*parts, *([{"type": "text"}] * 50_000)]}]
    client = gateway()
    client.post("/v1/chat/completions", json={**chat, "messages": messages})
    (file,) = runtime.spool.folder.glob("*.jsonl")
    assert 100_000 < file.stat().st_size < 8 * bodies_log.MAX_BODY


def test_what_is_cut_early_is_kept_as_what_is_not():
    body = {"long": "x" * 9000, "key": "sk-abcdefgh12345678", "list": [1, None, "é"]}
    body["file"] = f"data:image/png;base64,{'A' * 20_000}"
    assert bodies_log.kept(bodies_log.cut(body)) == bodies_log.kept(body)

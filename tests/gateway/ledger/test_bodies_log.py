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

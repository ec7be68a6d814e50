"""What an exchange with an upstream leaves: its row, and the provider's status."""

import json

import httpx
import pytest

from gateway.worker.statuses import statuses

URL = "/v1/chat/completions"


def test_a_request_that_was_sent_again_is_in_the_row(
    provider, upstream, gateway, chat, completion, ledger
):
    provider()
    upstream(
        lambda request: httpx.Response(
            200, json=completion, extensions={"sent_again": True}
        )
    )
    assert gateway().post(URL, json=chat).status_code == 200
    (row,) = ledger()
    assert row["sent_again"] is True


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "API key not valid. Please pass a valid API key.", "auth_rejected"),
        (403, "Your API key was reported as leaked.", "auth_rejected"),
        (401, "no", "auth_rejected"),
        (400, "temperature is too high", "ignored"),
        (403, "You may not use this model", "ignored"),
    ],
)
def test_a_rejected_credential_counts_against_the_provider_in_every_form(
    provider, upstream, gateway, chat, monkeypatch, status, message, kind
):
    provider()
    noted = []
    monkeypatch.setattr(
        statuses, "note", lambda provider, kind, message="": noted.append(kind)
    )
    upstream(json={"error": {"message": message}}, status=status)
    gateway().post(URL, json=chat)
    assert noted == [kind]


@pytest.mark.parametrize("status", [200, 422])
def test_a_byte_order_mark_is_no_part_of_the_answer(
    provider, upstream, gateway, chat, completion, status
):
    provider()
    body = completion if status == 200 else {"error": {"message": "no such field"}}
    text = b"\xef\xbb\xbf" + json.dumps(body).encode()
    upstream(lambda request: httpx.Response(status, content=text))
    answer = gateway().post(URL, json=chat)
    assert answer.status_code == status
    assert status == 200 or answer.json()["error"]["message"] == "no such field"

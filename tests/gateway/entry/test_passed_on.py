"""What is kept apart between console and gateway, and what passes through."""

import httpx
import pytest

from providers.models import WorkspaceKey


@pytest.mark.proves("2.5")
def test_a_session_opens_no_model_and_a_key_no_page(
    provider, upstream, gateway, chat, completion, logged_in_client, client
):
    provider()
    seen = upstream(json=completion)
    cookie = f"sessionid={logged_in_client.cookies['sessionid'].value}"
    # From elsewhere: programs on the machine itself need no key.
    stranger = gateway(host="192.0.2.7", headers={"cookie": cookie})
    assert stranger.post("/v1/chat/completions", json=chat).status_code == 401
    assert not seen
    key = WorkspaceKey.issue("ci").plaintext
    page = client.get("/models/", headers={"authorization": f"Bearer {key}"})
    assert page.status_code == 302
    assert page["location"].startswith("/login/")


@pytest.mark.proves("6.3")
def test_what_is_agreed_about_repeats_passes_both_ways(
    provider, upstream, gateway, chat
):
    provider()
    told = {"retry-after": "7", "x-should-retry": "false"}
    error = {"error": {"message": "Slow down.", "type": "rate_limit_error"}}
    seen = upstream(lambda _: httpx.Response(429, json=error, headers=told))
    answer = gateway(headers={"idempotency-key": "once-7"}).post(
        "/v1/chat/completions", json=chat
    )
    assert [each.headers["idempotency-key"] for each in seen] == ["once-7"]
    assert answer.status_code == 429
    assert {name: answer.headers[name] for name in told} == told

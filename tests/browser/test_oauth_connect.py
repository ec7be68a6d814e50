"""Connect: sign in at a real authorization server, then calls carry its token."""

from typing import Any

import pytest

from tests.browser import authorization_server
from tests.browser.authorization_server import CLIENT_ID, CLIENT_SECRET, SCOPE
from tests.e2e.processes import Server
from tests.e2e.replay import Replay


@pytest.fixture(scope="module")
def sso(upstream: Replay) -> authorization_server.Server:
    """The authorization server, which offers a model, too."""
    upstream.offer(["guarded"])
    return authorization_server.Server(upstream, ["guarded"])


def test_an_administrator_signs_in_once_and_agents_call(
    page: Any, console: Server, upstream: Replay, sso: authorization_server.Server
) -> None:
    page.goto("/models/new/?preset=custom")
    page.get_by_label("Name", exact=True).fill("sso")
    page.get_by_label("Endpoint").fill(f"{upstream.url}/sso")
    page.get_by_text("OAuth2", exact=True).click()
    page.get_by_label("Token URL").fill(f"{upstream.url}/sso/token")
    page.get_by_label("Authorization URL").fill(f"{upstream.url}/sso/authorize")
    page.get_by_label("Scopes").fill(SCOPE)
    page.get_by_label("Client id").fill(CLIENT_ID)
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    sso.client.redirect_uris.add(
        page.get_by_label("Redirect URL", exact=True).inner_text().strip()
    )
    page.locator("#id_models_entry").fill("guarded")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/models/sso/")
    page.get_by_text("Not connected yet: press Connect").wait_for()

    page.get_by_role("button", name="Connect").click()
    page.get_by_role("link", name="Allow").click()
    page.get_by_text("sso is connected.").wait_for()
    page.get_by_text("token expires in").wait_for()
    page.locator("#status").get_by_text("Available", exact=True).wait_for()
    assert page.get_by_role("button", name="Reconnect").count() == 1
    assert sso.asked[0]["code_challenge_method"] == "S256"
    assert sso.asked[0]["state"]

    answer = console.chat("guarded", "Hello")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "You said: Hello"
    token = upstream.calls[-1].header("authorization").removeprefix("Bearer ")
    assert token in sso.tokens


def test_a_sign_in_that_was_not_started_here_is_refused(page: Any) -> None:
    page.goto("/models/oauth/callback/?code=stolen&state=guessed")
    page.get_by_text("This sign-in was not started here.").wait_for()


def test_a_sign_in_that_is_denied_is_told_and_the_token_stays(page: Any) -> None:
    page.goto("/models/sso/")
    page.get_by_role("button", name="Reconnect").click()
    page.get_by_role("link", name="Deny").click()
    page.get_by_text("The provider refused: access_denied.").wait_for()
    page.get_by_text("token expires in").wait_for()

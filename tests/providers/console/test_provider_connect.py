"""Connect and Reconnect: signing in at the provider of an OAuth2 connection."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from providers import transport
from providers.models import ModelProvider, OAuthToken, Secret


@pytest.fixture
def oauth_provider(db):
    """A provider that wants an administrator to sign in."""
    row = ModelProvider(
        name="custom",
        endpoint="https://llm.example",
        auth_type="oauth2",
        authorization_url="https://login.example/authorize",
        token_url="https://login.example/token",
    )
    row.secret = Secret(name="custom-key")
    values = {"client_id": "console", "client_secret": "a-client-secret"}
    row.secret.store(values, row.required_origins())
    row.secret.save()
    row.save()
    return row


@pytest.fixture
def token_server():
    """Answers every token request and counts them."""
    asked = []

    def answer(request):
        asked.append(parse_qs(request.content.decode()))
        return httpx.Response(200, json={"access_token": "at-1", "expires_in": 3600})

    with transport.use(httpx.MockTransport(answer)):
        yield asked


def start(client):
    """Press Connect; return the parameters of the sign-in address."""
    response = client.post("/models/custom/oauth/start/")
    url = response.context["url"]
    assert url.startswith("https://login.example/authorize?")
    return {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}


def test_connect_asks_with_pkce_and_our_callback(logged_in_client, oauth_provider):
    sent = start(logged_in_client)
    assert sent["redirect_uri"] == "http://testserver/models/oauth/callback/"
    assert sent["code_challenge_method"] == "S256"


def test_the_code_becomes_a_stored_token(
    logged_in_client, oauth_provider, token_server
):
    sent = start(logged_in_client)
    response = logged_in_client.get(
        "/models/oauth/callback/", {"state": sent["state"], "code": "c-1"}, follow=True
    )
    assert "custom is connected." in response.content.decode()
    assert OAuthToken.objects.get().reveal()["access_token"] == "at-1"
    assert token_server[0]["code"] == ["c-1"]
    assert "at-1" not in response.content.decode()


def test_a_state_works_once(logged_in_client, oauth_provider, token_server):
    sent = start(logged_in_client)
    query = {"state": sent["state"], "code": "c-1"}
    logged_in_client.get("/models/oauth/callback/", query)
    response = logged_in_client.get("/models/oauth/callback/", query, follow=True)
    assert "not started here" in response.content.decode()
    assert len(token_server) == 1


@pytest.mark.parametrize("state", ["", "made-up", "ümlaut"])
def test_a_foreign_state_is_refused(
    logged_in_client, oauth_provider, token_server, state
):
    start(logged_in_client)
    query = {"state": state, "code": "c-1"}
    response = logged_in_client.get("/models/oauth/callback/", query, follow=True)
    assert "not started here" in response.content.decode()
    assert token_server == []


def test_a_provider_changed_meanwhile_gets_no_token(
    logged_in_client, oauth_provider, token_server
):
    sent = start(logged_in_client)
    ModelProvider.objects.update(version=2)
    query = {"state": sent["state"], "code": "c-1"}
    response = logged_in_client.get("/models/oauth/callback/", query, follow=True)
    assert "changed meanwhile" in response.content.decode()
    assert token_server == []


def test_a_refusal_is_shown_escaped(logged_in_client, oauth_provider, token_server):
    sent = start(logged_in_client)
    query = {"state": sent["state"], "error": "<b>access_denied"}
    response = logged_in_client.get("/models/oauth/callback/", query, follow=True)
    assert "The provider refused: &lt;b&gt;access_denied." in response.content.decode()


def test_the_page_offers_connect_then_reconnect(logged_in_client, oauth_provider):
    page = logged_in_client.get("/models/custom/").content.decode()
    assert "Not connected yet" in page
    token = OAuthToken(provider=oauth_provider)
    token.store({"access_token": "at-1"})
    token.save()
    page = logged_in_client.get("/models/custom/").content.decode()
    assert "Reconnect" in page


def test_a_provider_without_an_authorization_url_cannot_connect(
    logged_in_client, oauth_provider
):
    ModelProvider.objects.update(authorization_url="")
    response = logged_in_client.post("/models/custom/oauth/start/", follow=True)
    assert "no authorization URL" in response.content.decode()

"""Azure OpenAI by Microsoft Entra ID: from the preset to a call, at both endpoints."""

from urllib.parse import parse_qs

import httpx
import pytest

from providers.forms import presets
from providers.forms.provider import ProviderForm
from tests import doors

pytestmark = pytest.mark.django_db

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
RESOURCE = "contoso"


def filled_in(preset):
    """Return the preset's form values, filled in as an administrator does."""
    values = presets.of_preset(preset)
    places = {"YOUR-RESOURCE": RESOURCE, "YOUR-DEPLOYMENT": "chat"}
    for placeholder, own in {**places, "YOUR-TENANT": TENANT}.items():
        for field in ("endpoint", "token_url"):
            values[field] = values[field].replace(placeholder, own)
    secret = {"client_id": "app-id", "client_secret": "app-secret-0123456789"}
    return {**values, **secret, "models": ["gpt-4o-mini"]}


@pytest.mark.parametrize(
    ("preset", "path"),
    [
        ("azure-entra", "/openai/v1/chat/completions"),
        (
            "azure-classic-entra",
            "/openai/deployments/chat/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_a_call_carries_the_token_of_the_tenant(
    gateway, upstream, completion, preset, path
):
    def answer(request):
        if request.url.host == "login.microsoftonline.com":
            token = {"access_token": "entra-token-0123456789", "expires_in": 3599}
            return httpx.Response(200, json=token)
        return httpx.Response(200, json=completion)

    seen = upstream(answer)
    form = ProviderForm.for_values(filled_in(preset))
    assert form.is_valid(), form.errors
    form.save()
    response = doors.CHAT.ask(gateway())
    assert response.status_code == 200
    token, call = seen
    assert str(token.url) == (
        f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
    )
    assert parse_qs(token.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app-id"],
        "client_secret": ["app-secret-0123456789"],
        "scope": ["https://cognitiveservices.azure.com/.default"],
    }
    assert call.url.raw_path.decode() == path
    assert call.url.host == f"{RESOURCE}.openai.azure.com"
    assert call.headers["authorization"] == "Bearer entra-token-0123456789"
    assert "api-key" not in call.headers


@pytest.mark.parametrize("preset", ["azure-entra", "azure-classic-entra"])
def test_what_was_left_of_the_preset_is_told(preset):
    values = presets.of_preset(preset) | {
        "client_id": "app-id",
        "client_secret": "app-secret-0123456789",
        "models": ["gpt-4o-mini"],
    }
    form = ProviderForm.for_values(values)
    assert not form.is_valid()
    assert "YOUR-RESOURCE" in str(form.errors["endpoint"])
    assert "YOUR-TENANT" in str(form.errors["token_url"])

"""New and edit in the browser, and the parts of the form that refresh by themselves."""

import httpx
import pytest
from django.contrib.auth.models import User

from providers import transport
from providers.models import ModelProvider, ProviderModel
from providers.roles import Role, give

KEY = "sk-entered-0123456789abcdef"
HTMX = {"HTTP_HX_REQUEST": "true"}


def fields(**changed):
    """What a browser posts for a new provider."""
    return {
        "name": "openai",
        "provider_type": "openai",
        "shown_type": "openai",
        "endpoint": "https://api.openai.com",
        "auth_type": "api_key",
        "header_name": "Authorization",
        "value_prefix": "Bearer ",
        "api_key": KEY,
        "models": "gpt-4o-mini",
        "priority": "100",
        "enabled": "on",
        **changed,
    }


@pytest.fixture
def upstream():
    """Stands in for every provider: lists two models, counts what it was asked."""
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(200, json={"data": [{"id": "gpt-4o"}, {"id": "o3"}]})

    with transport.use(httpx.MockTransport(answer)):
        yield asked


def test_a_provider_is_registered_and_waits_for_its_check(logged_in_client):
    response = logged_in_client.post("/models/new/", fields())
    row = ModelProvider.objects.get()
    assert response.url == row.get_absolute_url()
    assert (row.status, row.enabled) == ("pending", True)
    assert row.credentials() == {"api_key": KEY}


def test_mistakes_come_back_at_their_fields_without_the_secret(logged_in_client):
    posted = fields(endpoint="api.openai.com", name="")
    response = logged_in_client.post("/models/new/", posted)
    page = response.content.decode()
    assert response.status_code == 422
    assert "needs a scheme" in page
    assert "Enter a name" in page
    assert KEY not in page
    assert not ModelProvider.objects.exists()


@pytest.mark.parametrize(
    ("kind", "endpoint"),
    [
        ("openai", "https://api.openai.com"),
        ("anthropic", "https://api.anthropic.com"),
        ("bedrock", "https://bedrock-runtime.{region}.amazonaws.com"),
        ("ollama", "http://localhost:11434"),
    ],
)
def test_each_type_starts_with_its_presets(logged_in_client, kind, endpoint):
    page = logged_in_client.get(f"/models/new/?type={kind}").content.decode()
    assert f'value="{endpoint}"' in page


def test_the_first_free_name_is_suggested(logged_in_client, provider):
    provider("openai")
    page = logged_in_client.get("/models/new/").content.decode()
    assert 'value="openai-2"' in page


def test_the_form_says_whether_the_limit_is_enforced(logged_in_client, settings):
    page = logged_in_client.get("/models/new/").content.decode()
    assert "Calls over this cap get 429 with Retry-After." in page
    settings.RATE_LIMIT_ENFORCEMENT = False
    page = logged_in_client.get("/models/new/").content.decode()
    assert "Rate limiting is not yet enforced." in page


def test_a_model_that_another_provider_serves_is_told(logged_in_client, provider):
    provider("first", models=("gpt-4o-mini",))
    response = logged_in_client.post("/models/new/", fields(), follow=True)
    page = response.content.decode()
    assert "gpt-4o-mini: first wins (lowest priority number, then oldest)." in page


def test_an_edit_keeps_the_secret_and_tells_its_last_characters(logged_in_client):
    logged_in_client.post("/models/new/", fields())
    page = logged_in_client.get("/models/openai/edit/").content.decode()
    assert "••••cdef" in page
    posted = fields(api_key="", requests_per_minute="60", version="1")
    logged_in_client.post("/models/openai/edit/", posted)
    row = ModelProvider.objects.get()
    assert row.requests_per_minute == 60
    assert row.credentials() == {"api_key": KEY}


def test_an_edit_of_the_address_asks_for_the_secret_again(logged_in_client):
    logged_in_client.post("/models/new/", fields())
    posted = fields(api_key="", endpoint="https://evil.example", version="1")
    response = logged_in_client.post("/models/openai/edit/", posted)
    assert response.status_code == 422
    assert "Enter the API key again" in response.content.decode()


def test_an_edit_of_an_old_version_offers_reload_and_overwrite(logged_in_client):
    logged_in_client.post("/models/new/", fields())
    logged_in_client.post("/models/openai/edit/", fields(api_key="", version="1"))
    response = logged_in_client.post(
        "/models/openai/edit/", fields(api_key="", version="1", models="late")
    )
    page = response.content.decode()
    assert "This provider changed since you opened it." in page
    assert "Reload" in page
    assert "Overwrite" in page
    posted = fields(api_key="", version="1", models="late", overwrite="on")
    logged_in_client.post("/models/openai/edit/", posted)
    assert ProviderModel.objects.get().model_id == "late"


def test_models_ticked_without_scripts_are_added(logged_in_client):
    posted = fields(models="gpt-4o-mini") | {"picked": ["gpt-4o", "gpt-4o-mini"]}
    logged_in_client.post("/models/new/", posted)
    ids = list(ProviderModel.objects.values_list("model_id", flat=True))
    assert ids == ["gpt-4o-mini", "gpt-4o"]


# --- parts ---


def test_another_type_changes_presets_and_keeps_what_was_typed(logged_in_client):
    posted = fields(provider_type="anthropic", models="mine", priority="7")
    page = logged_in_client.post("/models/form/fields/", posted, **HTMX)
    html = page.content.decode()
    assert 'value="https://api.anthropic.com"' in html
    assert 'value="x-api-key"' in html
    assert 'value="anthropic"' in html
    assert "mine</textarea>" in html
    assert 'value="7"' in html
    assert KEY not in html


def test_a_typed_endpoint_survives_another_type(logged_in_client):
    posted = fields(provider_type="anthropic", endpoint="https://proxy.example")
    page = logged_in_client.post("/models/form/fields/", posted, **HTMX)
    assert 'value="https://proxy.example"' in page.content.decode()


def test_another_type_without_scripts_returns_the_whole_page(logged_in_client):
    page = logged_in_client.post(
        "/models/form/fields/", fields(provider_type="ollama")
    ).content.decode()
    assert "<html" in page
    assert 'value="http://localhost:11434"' in page


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, "https://api.openai.com/v1/chat/completions"),
        ({"endpoint": "https://a.example/v1/"}, "https://a.example/v1/chat"),
        ({"endpoint": "nonsense"}, "Enter the address"),
        ({"endpoint": "http://localhost:1234"}, "host.docker.internal"),
        (
            {"provider_type": "ollama", "endpoint": "http://localhost:11434"},
            "OLLAMA_HOST=0.0.0.0",
        ),
        ({"endpoint": "http://10.0.0.5"}, "private network"),
        (
            {
                "provider_type": "bedrock",
                "endpoint": "https://bedrock-runtime.{region}.amazonaws.com",
                "region": "eu-west-1",
            },
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/",
        ),
    ],
)
def test_the_preview_shows_where_requests_go(logged_in_client, changed, shown):
    response = logged_in_client.post(
        "/models/form/preview/?part=endpoint", fields(**changed), **HTMX
    )
    assert shown in response.content.decode()


def test_only_ollama_is_told_how_ollama_starts(logged_in_client):
    posted = fields(endpoint="http://localhost:1234")
    response = logged_in_client.post(
        "/models/form/preview/?part=endpoint", posted, **HTMX
    )
    assert "OLLAMA_HOST" not in response.content.decode()


def test_the_header_preview_shows_the_end_of_the_key_only(logged_in_client):
    response = logged_in_client.post(
        "/models/form/preview/?part=header", fields(), **HTMX
    )
    assert "Authorization: Bearer ••••cdef" in response.content.decode()
    assert KEY not in response.content.decode()


def test_a_prefix_without_its_space_is_hinted_at(logged_in_client):
    posted = fields(value_prefix="Bearer")
    response = logged_in_client.post(
        "/models/form/preview/?part=header", posted, **HTMX
    )
    assert "usually ends with a space" in response.content.decode()


def test_one_field_is_checked_by_itself(logged_in_client):
    posted = fields(endpoint="nope", name="Bad Name")
    response = logged_in_client.post("/models/form/field/?field=name", posted, **HTMX)
    page = response.content.decode()
    assert "lower-case" in page
    assert "scheme" not in page


def test_an_unknown_field_has_no_errors(logged_in_client):
    response = logged_in_client.post(
        "/models/form/field/?field=__all__", fields(name=""), **HTMX
    )
    assert response.content.strip() == b""


# --- asking the provider ---


def test_the_connection_is_tested_with_what_stands_in_the_form(
    logged_in_client, upstream
):
    posted = fields(models="gpt-4o,gpt-4o-mni", name="")
    response = logged_in_client.post("/models/form/test/", posted, **HTMX)
    page = response.content.decode()
    assert "Connected in" in page
    assert "1 of 2 models found." in page
    assert upstream[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in page
    assert "$API_KEY" in page
    assert not ModelProvider.objects.exists()


def test_a_test_of_an_edit_uses_the_stored_key(logged_in_client, upstream):
    logged_in_client.post("/models/new/", fields())
    posted = fields(api_key="", version="1")
    logged_in_client.post("/models/form/test/?provider=openai", posted, **HTMX)
    assert upstream[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_test_never_sends_the_stored_key_elsewhere(logged_in_client, upstream):
    logged_in_client.post("/models/new/", fields())
    posted = fields(api_key="", endpoint="https://evil.example")
    for part in ("test", "discover"):
        response = logged_in_client.post(
            f"/models/form/{part}/?provider=openai", posted, **HTMX
        )
        assert "Enter the API key again" in response.content.decode()
    assert upstream == []


def test_a_test_without_scripts_returns_the_whole_form(logged_in_client, upstream):
    page = logged_in_client.post("/models/form/test/", fields()).content.decode()
    assert "<html" in page
    assert "Connected in" in page


def test_models_are_fetched_into_a_list_to_tick(logged_in_client, upstream):
    posted = fields(models="o3")
    response = logged_in_client.post("/models/form/discover/", posted, **HTMX)
    page = response.content.decode()
    assert 'name="picked" value="gpt-4o">' in page
    assert 'name="picked" value="o3" checked>' in page


def test_models_that_cannot_be_listed_are_explained(logged_in_client):
    def refuse(request):
        return httpx.Response(401, json={"error": {"message": "no"}})

    with transport.use(httpx.MockTransport(refuse)):
        response = logged_in_client.post("/models/form/discover/", fields(), **HTMX)
    assert "rejected the credentials (401)" in response.content.decode()


def test_a_check_now_is_stored(logged_in_client, provider, upstream):
    row = provider()
    response = logged_in_client.post("/models/openai/check/", **HTMX)
    row.refresh_from_db()
    assert row.status == "available"
    assert 'hx-swap-oob="true"' in response.content.decode()


def test_a_check_without_scripts_goes_back_to_the_page(
    logged_in_client, provider, upstream
):
    provider()
    response = logged_in_client.post("/models/openai/check/", follow=True)
    assert "Available. Connected in" in response.content.decode()


def test_more_than_ten_questions_a_minute_are_refused(logged_in_client, upstream):
    for _ in range(11):
        response = logged_in_client.post("/models/form/test/", fields(), **HTMX)
    assert "Ten checks a minute are the limit." in response.content.decode()
    assert [request.method for request in upstream].count("GET") == 10


def test_an_operator_is_neither_shown_nor_given_the_network(client, db):
    operator = User.objects.create_user("op", password="a long pass phrase")
    give(operator, Role.OPERATOR)
    operator.save()
    client.force_login(operator)
    page = client.get("/models/new/?type=bedrock").content.decode()
    assert "Forward proxy" not in page
    assert "option_aws_identity" not in page
    proxy = {"option_proxy": "http://proxy.example:3128"}
    response = client.post("/models/new/", fields(**proxy))
    assert response.status_code == 422
    assert "Only an administrator" in response.content.decode()
    assert client.post("/models/new/", fields()).status_code == 302

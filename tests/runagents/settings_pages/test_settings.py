"""The Settings pages: keys shown once, secrets never, the gateway's settings."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from providers import keys
from providers.models import ModelProvider, Secret, WorkspaceKey


def created_key(response):
    return re.search(r"ra_ws_[A-Za-z0-9]{38}", response.content.decode())[0]


def test_a_key_is_shown_once(logged_in_client, db):
    answer = logged_in_client.post("/settings/api-keys/", {"name": "ci"})
    assert answer.status_code == 302
    response = logged_in_client.get(answer.url)
    key = created_key(response)
    assert WorkspaceKey.objects.get().digest == keys.digest(key)
    assert response["Cache-Control"] == "no-store"
    assert key not in logged_in_client.get("/settings/api-keys/").content.decode()


def test_a_key_needs_a_proper_name(logged_in_client, db):
    response = logged_in_client.post("/settings/api-keys/", {"name": "Not This"})
    assert response.status_code == 422
    assert not WorkspaceKey.objects.exists()


def test_a_rotated_key_works_for_another_day(logged_in_client, db):
    WorkspaceKey.issue("ci")
    old = WorkspaceKey.objects.get()
    url = f"/settings/api-keys/{old.pk}/rotate/"
    response = logged_in_client.post(url, follow=True)
    assert keys.digest(created_key(response)) != old.digest
    old.refresh_from_db()
    assert old.is_live()
    assert old.expires_at - timezone.now() < timedelta(hours=25)
    assert set(WorkspaceKey.objects.values_list("name", flat=True)) == {"ci"}


def test_a_rotated_key_may_be_refused_at_once(logged_in_client, db):
    WorkspaceKey.issue("ci")
    old = WorkspaceKey.objects.get()
    url = f"/settings/api-keys/{old.pk}/rotate/"
    assert logged_in_client.post(url, {"grace": "9999"}).status_code == 400
    assert WorkspaceKey.objects.count() == 1
    page = logged_in_client.post(url, {"grace": "0"}, follow=True).content.decode()
    old.refresh_from_db()
    assert not old.is_live()
    assert "is refused from now on" in page


def test_rotating_twice_does_not_prolong_a_key(logged_in_client, db):
    WorkspaceKey.issue("ci")
    soon = timezone.now() + timedelta(hours=1)
    WorkspaceKey.objects.update(expires_at=soon)
    old = WorkspaceKey.objects.get()
    logged_in_client.post(f"/settings/api-keys/{old.pk}/rotate/")
    old.refresh_from_db()
    assert old.expires_at == soon


def test_many_keys_come_in_pages_the_revoked_ones_last(logged_in_client, db):
    made = timezone.now()
    WorkspaceKey.objects.bulk_create(
        WorkspaceKey(name=f"k{n:03}", digest=n, revoked_at=made if n % 2 else None)
        for n in range(120)
    )
    first = logged_in_client.get("/settings/api-keys/").content.decode()
    assert first.count("Live<") == 50
    assert "Revoked" not in first
    last = logged_in_client.get("/settings/api-keys/?page=3").content.decode()
    assert last.count("Revoked") == 20
    assert "Page 3 of 3" in last
    # The page that shows a new key once has an address of its own.
    row = WorkspaceKey.objects.get(name="k000")
    url = f"/settings/api-keys/{row.pk}/rotate/"
    answer = logged_in_client.post(url, follow=True)
    assert 'href="/settings/api-keys/?page=2"' in answer.content.decode()


def test_a_revoked_key_is_refused_and_stays_listed(logged_in_client, db):
    WorkspaceKey.issue("ci")
    key = WorkspaceKey.objects.get()
    url = f"/settings/api-keys/{key.pk}/revoke/"
    page = logged_in_client.get(url).content.decode()
    assert "Whoever calls with it is refused" in page
    key.refresh_from_db()
    assert key.is_live()
    assert logged_in_client.post(url).url == "/settings/api-keys/"
    key.refresh_from_db()
    assert not key.is_live()
    assert b"Revoked" in logged_in_client.get("/settings/api-keys/").content
    assert logged_in_client.post(url).status_code == 404


def test_secrets_are_listed_without_their_values(logged_in_client, provider):
    provider(
        "openai", key="sk-very-secret-0123456789abcd", endpoint="https://a.example"
    )
    page = logged_in_client.get("/settings/secrets/").content.decode()
    assert "••••abcd" in page
    assert "very-secret" not in page
    assert "a.example" in page
    assert 'href="/models/openai/"' in page


def test_new_values_keep_their_addresses(logged_in_client, provider):
    row = provider("openai")
    ModelProvider.objects.update(status="available")
    origins = row.secret.origins
    page = logged_in_client.get("/settings/secrets/openai-secret/").content.decode()
    assert 'type="password"' in page
    response = logged_in_client.post(
        "/settings/secrets/openai-secret/", {"api_key": "sk-replaced-0123456789"}
    )
    assert response.url == "/settings/secrets/"
    secret = Secret.objects.get()
    assert secret.reveal(origins) == {"api_key": "sk-replaced-0123456789"}
    assert secret.origins == origins
    assert ModelProvider.objects.get().status == "pending"


@pytest.mark.parametrize("value", ["", "with space", "snow☃man"])
def test_values_no_provider_takes_are_refused(logged_in_client, provider, value):
    provider("openai")
    response = logged_in_client.post(
        "/settings/secrets/openai-secret/", {"api_key": value}
    )
    assert response.status_code == 422
    assert value not in re.sub(r"\s", "", response.content.decode()) or not value


def test_many_secrets_come_in_pages(logged_in_client, provider):
    for number in range(51):
        provider(f"p{number:02}")
    page = logged_in_client.get("/settings/secrets/").content.decode()
    assert "p49-secret" in page
    assert "p50-secret" not in page
    page = logged_in_client.get("/settings/secrets/?page=2").content.decode()
    assert "p50-secret" in page
    assert "Page 2 of 2" in page


def test_a_secret_in_use_is_not_deleted(logged_in_client, provider):
    provider("openai")
    url = "/settings/secrets/openai-secret/delete/"
    assert b"It is in use" in logged_in_client.get(url).content
    assert logged_in_client.post(url).status_code == 422
    assert Secret.objects.exists()


def test_an_unused_secret_is_deleted(logged_in_client, provider):
    provider("openai").delete()
    url = "/settings/secrets/openai-secret/delete/"
    assert logged_in_client.post(url).url == "/settings/secrets/"
    assert not Secret.objects.exists()


def test_the_gateway_s_settings_name_their_variables(
    logged_in_client, db, settings, monkeypatch
):
    settings.GATEWAY_TRUSTED_NETWORKS = ["10.1.0.0/16"]
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    monkeypatch.setenv("USAGE_RETENTION_DAYS", "90")
    page = logged_in_client.get("/settings/gateway/").content.decode()
    assert "10.1.0.0/16" in page
    assert "sk-platform" not in page
    assert page.count(">environment<") >= 1


def test_no_setting_shows_a_secret(logged_in_client, db, settings):
    page = logged_in_client.get("/settings/gateway/").content.decode()
    assert settings.SECRET_KEY not in page
    for key in settings.ENCRYPTION_KEYS:
        assert key not in page


# --- what is decided about keys ---


def test_a_key_can_be_given_an_end_and_a_reach_when_it_is_made(
    logged_in_client, provider
):
    provider()
    reach = "openai/*\ngpt-4o-mini"
    fields = {"name": "ci", "expires_on": "2099-01-31", "reach": reach}
    logged_in_client.post("/settings/api-keys/", fields)
    key = WorkspaceKey.objects.get()
    assert key.expires_at == datetime(2099, 2, 1, tzinfo=UTC)
    assert key.models == ["openai/*", "gpt-4o-mini"]


def test_a_key_is_renamed_and_narrowed_later(logged_in_client, provider):
    provider()
    WorkspaceKey.issue("ci")
    key = WorkspaceKey.objects.get()
    url = f"/settings/api-keys/{key.pk}/"
    fields = {"name": "deploy", "expires_on": "", "reach": "openai/gpt-4o-mini"}
    assert logged_in_client.post(url, fields).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.models) == ("deploy", ["openai/gpt-4o-mini"])
    page = logged_in_client.get("/settings/api-keys/").content.decode()
    assert "only openai/gpt-4o-mini" in page


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("reach", "gpt-5o", "Nobody serves"),
        ("reach", "nobody/*", "Nobody serves"),
        ("expires_on", "2001-01-01", "This day is over."),
    ],
)
def test_what_cannot_be_meant_is_refused(
    logged_in_client, provider, field, value, told
):
    provider()
    fields = {"name": "ci", "expires_on": "", "reach": "", field: value}
    answer = logged_in_client.post("/settings/api-keys/", fields)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not WorkspaceKey.objects.exists()


def test_saving_a_key_unchanged_keeps_the_moment_it_ends(logged_in_client, provider):
    moment = timezone.now() + timedelta(hours=30)
    WorkspaceKey.issue("ci", ["gone-model"], moment)
    key = WorkspaceKey.objects.get()
    fields = {"name": "ci", "expires_on": f"{moment:%Y-%m-%d}", "reach": "gone-model"}
    answer = logged_in_client.post(f"/settings/api-keys/{key.pk}/", fields)
    assert answer.status_code == 302
    key.refresh_from_db()
    assert key.expires_at == moment


def test_a_key_is_paused_and_resumed(logged_in_client, db):
    WorkspaceKey.issue("ci")
    key = WorkspaceKey.objects.get()
    url = f"/settings/api-keys/{key.pk}/pause/"
    logged_in_client.post(url, {"paused": "1"})
    key.refresh_from_db()
    assert not key.is_live()
    assert "Paused" in logged_in_client.get("/settings/api-keys/").content.decode()
    logged_in_client.post(url, {"paused": "0"})
    key.refresh_from_db()
    assert key.is_live()


def test_a_rotated_key_hands_on_its_end_and_its_reach(logged_in_client, db):
    ends = timezone.now() + timedelta(days=90)
    WorkspaceKey.issue("ci", ["gpt-4o"], ends)
    old = WorkspaceKey.objects.get()
    logged_in_client.post(f"/settings/api-keys/{old.pk}/rotate/")
    new = WorkspaceKey.objects.exclude(pk=old.pk).get()
    assert (new.models, new.expires_at) == (["gpt-4o"], ends)
    # What is left of a grace is not an end that somebody decided on.
    old.refresh_from_db()
    logged_in_client.post(f"/settings/api-keys/{old.pk}/rotate/")
    last = WorkspaceKey.objects.exclude(pk__in=[old.pk, new.pk]).get()
    assert last.expires_at is None

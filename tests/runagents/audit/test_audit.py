"""Every change leaves one row: who, from where, what, which fields, never a value."""

import base64
import json
import os
import sys
from datetime import timedelta
from io import StringIO
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from gateway.ledger import upkeep
from providers.models import (
    ModelProvider,
    OAuthToken,
    ProviderModel,
    Secret,
    WorkspaceKey,
)
from runagents import audit
from runagents.agents.models import Agent, AgentKey, Wire
from runagents.models import AuditEntry

SECRET = "sk-planted-0123456789abcdefghij"
PASSWORD = "correct horse"
FORM = {
    "name": "openai",
    "provider_type": "openai",
    "endpoint": "https://api.openai.com",
    "auth_type": "api_key",
    "header_name": "Authorization",
    "value_prefix": "Bearer ",
    "api_key": SECRET,
    "models": "gpt-4o-mini",
    "priority": "100",
    "enabled": "on",
}
REGISTRY = """
secrets:
  - {name: mine, data: {api_key: {env: PLANTED}}}
model_providers:
  - name: openai
    spec:
      provider: openai
      endpoint: https://api.openai.com
      models: [gpt-4o]
      auth:
        type: APIKey
        apiKeyConfig: {name: Authorization, secretRef: {name: mine}}
"""


def told() -> list[tuple[str, str, str, list[str]]]:
    """Return action, kind, name and fields of every row, oldest first; empties them."""
    rows = AuditEntry.objects.order_by("pk")
    found = [(row.action, row.kind, row.label, row.fields) for row in rows]
    rows.delete()
    return found


@pytest.fixture
def browser(logged_in_client: Client) -> Client:
    """The administrator's browser, at an address; its own log-in is forgotten."""
    logged_in_client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    AuditEntry.objects.all().delete()
    return logged_in_client


@pytest.fixture
def stored(provider, browser: Client) -> ModelProvider:
    """A provider that is there already."""
    row: ModelProvider = provider()
    AuditEntry.objects.all().delete()
    return row


# --- who, when and from where ---


def test_a_browser_is_told_by_user_and_address(browser, stored):
    browser.post("/models/openai/toggle/", {"enabled": "0"})
    row = AuditEntry.objects.get()
    assert (row.actor, row.address) == ("admin", "192.0.2.7")
    assert row.at is not None


def test_the_admin_is_told_the_same_way(browser, stored):
    data = {"action": "disable", "_selected_action": [stored.pk]}
    browser.post(reverse("admin:providers_modelprovider_changelist"), data)
    row = AuditEntry.objects.get()
    assert (row.actor, row.address, row.fields) == ("admin", "192.0.2.7", ["enabled"])


def test_the_api_is_told_by_its_key(stored):
    key = WorkspaceKey.issue("ci").plaintext
    AuditEntry.objects.all().delete()
    url = "/api/v1/model-providers/openai"
    Client().delete(url, headers={"X-RunAgents-API-Key": key}, REMOTE_ADDR="192.0.2.9")
    rows = list(AuditEntry.objects.all())
    assert {row.actor for row in rows} == {f"API key ci (ra_ws_…{key[-4:]})"}
    assert {row.address for row in rows} == {"192.0.2.9"}
    assert ("delete", "model provider", "openai", []) in told()


def test_a_command_is_told_by_name_and_account(db, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["manage.py", "createkey", "bot"])
    call_command("createkey", "bot", stdout=StringIO(), stderr=StringIO())
    for row in AuditEntry.objects.all():
        assert row.actor.startswith("manage.py createkey (")
        assert row.address == ""
    assert [each[:2] for each in told()] == [("add", "agent"), ("add", "agent key")]


def test_what_nobody_asked_for_is_the_servers(provider, db):
    provider()
    assert {row.actor for row in AuditEntry.objects.all()} == {"server"}


# --- each kind of change ---


def test_a_provider_is_added_with_its_secret_and_models(browser):
    assert browser.post("/models/new/", FORM).status_code == 302
    secret, provider, model = told()
    assert secret == ("add", "secret", "openai-key", ["name", "origins", "values"])
    assert provider[:3] == ("add", "model provider", "openai")
    assert {"name", "endpoint", "secret", "value_prefix"} <= set(provider[3])
    assert model == ("add", "model", "openai/gpt-4o-mini", ["model_id", "provider"])


def change_priority(browser, row):
    form = {**FORM, "api_key": "", "endpoint": row.endpoint, "priority": "7"}
    version = str(row.version)
    form |= {"private_network": "on", "secret": row.secret.name, "version": version}
    assert browser.post("/models/openai/edit/", form).status_code == 302


def price(browser, row):
    model = row.provider_models.get()
    posted = {
        "provider_models-TOTAL_FORMS": "1",
        "provider_models-INITIAL_FORMS": "1",
        "provider_models-0-id": str(model.pk),
        "provider_models-0-input_price": "0.15",
    }
    assert browser.post("/models/openai/", posted).status_code == 302


def replace_secret(browser, row):
    posted = {"api_key": SECRET}
    url = reverse("secret-replace", args=[row.secret.name])
    assert browser.post(url, posted).status_code == 302


def rotate_in_place(browser, row):
    key = WorkspaceKey.issue("ci")
    AuditEntry.objects.all().delete()
    pk = WorkspaceKey.objects.get().pk
    response = browser.post(
        f"/api/v1/auth/api-keys/{pk}/rotate",
        "{}",
        "application/json",
        headers={"X-RunAgents-API-Key": key.plaintext},
    )
    assert response.status_code == 200


def revoke(browser, row):
    WorkspaceKey.issue("ci")
    AuditEntry.objects.all().delete()
    browser.post(reverse("api-key-revoke", args=[WorkspaceKey.objects.get().pk]))


def make_agent(browser, row):
    Agent.objects.create(name="bot")


def wire(browser, row):
    agent = Agent.objects.create(name="bot")
    AuditEntry.objects.all().delete()
    Wire.objects.create(agent=agent, provider=row, model_id="gpt-4o-mini")


def agent_key(browser, row):
    Agent.objects.create(name="bot")
    AuditEntry.objects.all().delete()
    browser.post(reverse("agent-key-create", args=["bot"]))


def connect(browser, row):
    token = OAuthToken(provider=row)
    token.store({"access_token": SECRET})
    with audit.during(audit.Operation(RequestFactory().get("/"))):
        token.save()


def password(browser, row):
    posted = {
        "old_password": PASSWORD,
        "new_password1": SECRET,
        "new_password2": SECRET,
    }
    assert browser.post("/password/", posted).status_code == 302


def log_in(browser, row):
    Client().post("/login/", {"username": "admin", "password": PASSWORD})


def fail_to_log_in(browser, row):
    Client().post("/login/", {"username": "admin", "password": SECRET})


def fail_by_wrong_field(browser, row):
    Client().post("/login/", {"username": SECRET, "password": ""})
    Client().post("/login/", {"username": SECRET, "password": "x"})


def log_out(browser, row):
    browser.post("/logout/")


def export_usage(browser, row):
    browser.get("/usage/usage.csv")


def export_registry(browser, row):
    call_command("providers", "export", stdout=StringIO())


CHANGES = [
    (change_priority, ("change", "model provider", "openai", ["priority"])),
    (price, ("change", "model", "openai/gpt-4o-mini", ["input_price"])),
    (replace_secret, ("change", "secret", "openai-secret", ["values"])),
    (rotate_in_place, ("rotate", "API key", None, ["key"])),
    (revoke, ("revoke", "API key", None, ["revoked_at"])),
    (make_agent, ("add", "agent", "bot", ["name"])),
    (wire, ("add", "wire", "bot: default", ["agent", "model_id", "provider"])),
    (agent_key, ("add", "agent key", None, ["agent", "key"])),
    (connect, ("add", "OAuth token", "openai", ["provider", "token"])),
    (password, ("change", "user", "admin", ["password"])),
    (log_in, ("log_in", "user", "admin", [])),
    (fail_to_log_in, ("log_in_failed", "user", "admin", [])),
    (fail_by_wrong_field, ("log_in_failed", "user", "", [])),
    (log_out, ("log_out", "user", "admin", [])),
    (export_usage, ("export", "usage", "", [])),
    (export_registry, ("export", "registry", "", [])),
]


@pytest.mark.parametrize(
    ("act", "row"), CHANGES, ids=[act.__name__ for act, _row in CHANGES]
)
def test_each_kind_of_change_writes_one_row(browser, stored, act, row):
    act(browser, stored)
    ((action, kind, label, fields),) = told()
    assert (action, kind, fields) == (row[0], row[1], row[3])
    assert row[2] is None or label == row[2]


def test_deleting_tells_everything_that_goes_along(browser, stored):
    posted = {"confirm": "openai", "secret": "1"}
    browser.post("/models/openai/delete/", posted)
    assert {each[:3] for each in told()} == {
        ("delete", "model", "openai/gpt-4o-mini"),
        ("delete", "model provider", "openai"),
        ("delete", "secret", "openai-secret"),
    }


def test_a_key_replaced_in_the_console_tells_both_keys(browser, db):
    WorkspaceKey.issue("ci")
    told()
    browser.post(reverse("api-key-rotate", args=[WorkspaceKey.objects.get().pk]))
    assert [(each[0], each[1], each[3]) for each in told()] == [
        ("add", "API key", ["key", "name"]),
        ("change", "API key", ["expires_at"]),
    ]


# --- what is not a change ---


def test_a_token_that_the_gateway_refreshes_is_not_told(browser, stored):
    token = OAuthToken(provider=stored)
    token.store({"access_token": SECRET})
    token.save()
    assert told() == []


def test_what_stays_as_it_was_is_not_told(browser, stored):
    stored.set_status("available", "Connected.")
    stored.save()
    stored.provider_models.get().save()
    assert told() == []


def test_a_change_that_is_rolled_back_leaves_no_row(browser, stored):
    with transaction.atomic():
        Agent.objects.create(name="bot")
        stored.delete()
        transaction.set_rollback(True)
    assert told() == []


def test_a_file_that_is_only_tried_leaves_no_row(db, tmp_path, monkeypatch):
    monkeypatch.setenv("PLANTED", SECRET)
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    path = str(tmp_path / "registry.yaml")
    call_command("providers", "apply", path, "--dry-run", stdout=StringIO())
    assert told() == []
    call_command("providers", "apply", path, stdout=StringIO())
    assert [each[1] for each in told()] == ["secret", "model provider", "model"]
    call_command("providers", "apply", path, stdout=StringIO())
    assert told() == []


def unwritable(execute: Any, sql: str, *rest: Any) -> Any:
    """Refuse rows of the log, as a full disk would."""
    if "runagents_auditentry" in sql and sql.startswith("INSERT"):
        _refuse()
    return execute(sql, *rest)


def _refuse() -> NoReturn:
    raise OperationalError("disk full")


@pytest.mark.proves("8.5")
@pytest.mark.django_db(transaction=True)
def test_without_its_row_a_change_does_not_happen(provider):
    row = provider()
    with connection.execute_wrapper(unwritable):
        with pytest.raises(OperationalError):
            Agent.objects.create(name="bot")
        row.endpoint = "https://elsewhere.example"
        with pytest.raises(OperationalError):
            row.save()
        with pytest.raises(OperationalError):
            row.provider_models.get().delete()
    assert not Agent.objects.exists()
    assert ModelProvider.objects.get().endpoint == "http://127.0.0.1:9"
    assert ProviderModel.objects.count() == 1


# --- what never stands there ---


@pytest.mark.proves("8.5")
def test_no_planted_secret_is_in_any_row(browser, stored, db):
    for act, _row in CHANGES:
        act(browser, stored)
        browser.force_login(User.objects.get())
        AgentKey.objects.all().delete()
        Wire.objects.all().delete()
        Agent.objects.all().delete()
        WorkspaceKey.objects.all().delete()
    browser.post("/models/new/", {**FORM, "name": "second"})
    assert SECRET in Secret.objects.get(name="second-key").reveal([]).values()
    rows = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert AuditEntry.objects.count() > len(CHANGES)
    assert SECRET not in rows
    assert PASSWORD not in rows
    page = browser.get("/settings/audit-log/").content.decode()
    assert SECRET not in page


# --- the page ---


def shown(response: Any) -> list[str]:
    """Return the names of things a page of the log shows, in order."""
    return [entry.label for entry in response.context["entries"]]


def test_the_page_needs_a_log_in(client, administrator):
    assert client.get("/settings/audit-log/").url.startswith("/login/")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_page_takes_no_changes(browser, method):
    Agent.objects.create(name="bot")
    assert getattr(browser, method)("/settings/audit-log/").status_code == 405
    page = browser.get("/settings/audit-log/").content.decode()
    main = page.partition("<main")[2].partition("</main>")[0]
    assert 'method="post"' not in main
    assert "bot" in main


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["three", "two", "one"]),
        ("kind=wire", ["two"]),
        ("action=delete", ["three"]),
        ("actor=admin", ["two", "one"]),
        ("label=one", ["one"]),
        ("span=24h", ["three", "two", "one"]),
        ("actor=nobody", []),
        ("kind=made-up", ["three", "two", "one"]),
        ("before=nonsense", ["three", "two", "one"]),
        ("before=99999999999999999999", ["three", "two", "one"]),
    ],
)
def test_the_page_is_narrowed(browser, query, expected):
    for fields in (
        {"actor": "admin", "action": "add", "kind": "agent", "label": "one"},
        {"actor": "admin", "action": "add", "kind": "wire", "label": "two"},
        {"actor": "server", "action": "delete", "kind": "agent", "label": "three"},
    ):
        AuditEntry.objects.create(**fields)
    assert shown(browser.get(f"/settings/audit-log/?{query}")) == expected


def test_a_long_log_comes_in_pages_of_few_queries(browser, django_assert_num_queries):
    for number in range(120):
        kind = "wire" if number < 110 else "agent"
        AuditEntry.objects.create(action="add", kind=kind, label=str(number))
    url, labels = "?kind=wire", []
    while url:
        # session, user, the page's rows
        with django_assert_num_queries(3):
            response = browser.get(f"/settings/audit-log/{url}")
        labels += shown(response)
        url = response.context["older"]
    assert labels == [str(number) for number in range(109, -1, -1)]


def test_the_admin_shows_the_log_and_changes_nothing(browser):
    Agent.objects.create(name="bot")
    row = AuditEntry.objects.get()
    base = "admin:runagents_auditentry"
    assert b"bot" in browser.get(reverse(f"{base}_changelist")).content
    assert browser.get(reverse(f"{base}_change", args=[row.pk])).status_code == 200
    assert browser.get(reverse(f"{base}_add")).status_code == 403
    for name in ("change", "delete"):
        url = reverse(f"{base}_{name}", args=[row.pk])
        assert browser.post(url, {"label": "x", "post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    browser.post(reverse(f"{base}_changelist"), data)
    assert AuditEntry.objects.get().label == "bot"


def test_moving_secrets_to_another_key_is_told(stored, settings):
    call_command("rotatesecrets", stdout=StringIO())
    assert told() == []
    key = base64.b64encode(os.urandom(32)).decode()
    settings.ENCRYPTION_KEYS = [key, *settings.ENCRYPTION_KEYS]
    call_command("rotatesecrets", stdout=StringIO())
    assert told() == [("rotate", "secret", "1 stored values", ["encryption key"])]


def test_the_log_is_kept_as_long_as_is_set(settings, db):
    settings.AUDIT_RETENTION_DAYS = 30
    audit.record("change", "registry", "old")
    AuditEntry.objects.update(at=timezone.now() - timedelta(days=31))
    audit.record("change", "registry", "young")
    upkeep.delete_old()
    assert [entry.label for entry in AuditEntry.objects.all()] == ["young"]

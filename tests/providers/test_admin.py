"""Django's admin keeps the console's rules and shows no secret."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gateway.models import UsageRecord
from providers.models import ModelProvider, RegistryVersion, Secret, WorkspaceKey
from runagents.agents.models import Agent, AgentKey, Wire

pytestmark = pytest.mark.django_db

CANARY = "sk-canary-0123456789abcdef"
LISTS = [
    "providers_modelprovider",
    "providers_providermodel",
    "providers_secret",
    "providers_workspacekey",
    "agents_agent",
    "agents_agentkey",
    "gateway_usagerecord",
]
ADDABLE = ["providers_modelprovider", "providers_secret", "agents_agent"]


@pytest.fixture
def rows(provider, record):
    """One row of everything."""
    agent = Agent.objects.create(name="support")
    row = provider(key=CANARY)
    Wire.objects.create(agent=agent, provider=row, model_id="gpt-4o-mini")
    AgentKey.issue(agent)
    WorkspaceKey.issue("ci")
    record(call_id="c1", request_id="r1", caller="support")
    return row


def change_url(row):
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def act(client, name, action, queryset):
    data = {"action": action, "_selected_action": [row.pk for row in queryset]}
    return client.post(reverse(f"admin:{name}_changelist"), data, follow=True)


def test_a_search_counts_each_model_once(admin_client, provider):
    provider("openai", models=("a1", "a2", "a3"))
    url = reverse("admin:providers_modelprovider_changelist")
    for term in ("", "openai", "a2"):
        page = admin_client.get(url, {"q": term}).content.decode()
        assert '<td class="field-models_served">3</td>' in page


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_and_searches(logged_in_client, rows, name):
    url = reverse(f"admin:{name}_changelist")
    assert logged_in_client.get(url).status_code == 200
    assert logged_in_client.get(f"{url}?q=support").status_code == 200


@pytest.mark.parametrize("name", ["gateway_usagerecord", "runagents_auditentry"])
@pytest.mark.parametrize("term", ["", "support", "no such thing"])
def test_no_log_is_gone_through_row_by_row(logged_in_client, rows, name, term):
    with CaptureQueriesContext(connection) as queries:
        logged_in_client.get(reverse(f"admin:{name}_changelist"), {"q": term})
    asked = [each["sql"] for each in queries if f'FROM "{name}"' in each["sql"]]
    assert asked
    for sql in asked:
        assert "LIKE" not in sql
        assert "DISTINCT" not in sql or name == "runagents_auditentry"


@pytest.mark.parametrize("name", ADDABLE)
def test_every_add_page_opens(logged_in_client, name):
    assert logged_in_client.get(reverse(f"admin:{name}_add")).status_code == 200


def test_no_page_shows_a_secret(logged_in_client, rows):
    models = [ModelProvider, Secret, WorkspaceKey, Agent, AgentKey, UsageRecord]
    urls = [change_url(model.objects.get()) for model in models]
    urls += [reverse(f"admin:{name}_changelist") for name in LISTS]
    for url in urls:
        answer = logged_in_client.get(url)
        assert answer.status_code == 200, url
        assert CANARY not in answer.content.decode(), url
        assert WorkspaceKey.objects.get().digest not in answer.content.decode(), url


def test_the_admin_is_behind_the_consoles_log_in(administrator):
    answer = Client().get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/")


def test_the_admin_is_for_administrators_only():
    client = Client()
    client.force_login(User.objects.create_user("reader", is_staff=True))
    assert client.get(reverse("admin:index")).status_code == 403


# --- providers ---


def provider_data(**fields):
    return {
        "name": "openai",
        "provider_type": "openai",
        "endpoint": "https://api.openai.com",
        "models": "gpt-4o",
        "enabled": "on",
        "priority": "100",
        "auth_type": "api_key",
        "header_name": "Authorization",
        "value_prefix": "Bearer ",
        "options": "{}",
        **fields,
    }


def test_a_provider_is_added_with_models_and_secret(logged_in_client):
    url = reverse("admin:providers_modelprovider_add")
    answer = logged_in_client.post(url, provider_data(api_key=CANARY))
    assert answer.status_code == 302, answer.context["errors"]
    row = ModelProvider.objects.get()
    assert row.credentials() == {"api_key": CANARY}
    assert row.provider_models.get().model_id == "gpt-4o"


def test_a_provider_with_a_mistake_is_not_stored(logged_in_client):
    url = reverse("admin:providers_modelprovider_add")
    data = provider_data(endpoint="http://example.com", api_key=CANARY)
    answer = logged_in_client.post(url, data)
    assert answer.status_code == 200
    assert "Use https" in answer.content.decode()
    assert CANARY not in answer.content.decode()
    assert not ModelProvider.objects.exists()


def test_blank_values_keep_the_stored_secret(logged_in_client, rows):
    data = provider_data(
        endpoint=rows.endpoint, private_network="on", version="1", models="gpt-4.1"
    )
    answer = logged_in_client.post(change_url(rows), data)
    assert answer.status_code == 302, answer.context["errors"]
    row = ModelProvider.objects.get()
    assert row.credentials() == {"api_key": CANARY}
    assert row.provider_models.get().model_id == "gpt-4.1"


def test_an_edit_of_an_older_version_is_refused(logged_in_client, rows):
    ModelProvider.objects.update(version=2)
    data = provider_data(endpoint=rows.endpoint, version="1")
    answer = logged_in_client.post(change_url(rows), data)
    assert answer.status_code == 200
    assert "changed since you opened it" in answer.content.decode()


def test_selected_providers_are_disabled_and_enabled(logged_in_client, rows):
    before = RegistryVersion.current()
    everything = ModelProvider.objects.all()
    act(logged_in_client, "providers_modelprovider", "disable", everything)
    assert not ModelProvider.objects.get().enabled
    assert RegistryVersion.current() > before
    act(logged_in_client, "providers_modelprovider", "enable", everything)
    assert ModelProvider.objects.get().enabled


def test_selected_providers_are_checked(logged_in_client, rows):
    everything = ModelProvider.objects.all()
    answer = act(
        logged_in_client, "providers_modelprovider", "check_selected", everything
    )
    assert ModelProvider.objects.get().status == "unavailable"
    told = [str(message) for message in answer.context["messages"]]
    assert told[0].startswith("openai: Unavailable. Cannot reach")


def test_a_wired_provider_is_not_deleted(logged_in_client, rows):
    data = {"action": "delete_selected", "_selected_action": [rows.pk], "post": "yes"}
    url = reverse("admin:providers_modelprovider_changelist")
    logged_in_client.post(url, data)
    assert ModelProvider.objects.exists()


# --- secrets ---


def test_a_secret_is_added(logged_in_client):
    url = reverse("admin:providers_secret_add")
    data = {"name": "openai-key", "api_key": CANARY}
    assert logged_in_client.post(url, data).status_code == 302
    assert Secret.objects.get().reveal([]) == {"api_key": CANARY}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": "s"}, "is required"),
        ({"name": "s", "api_key": "two words"}, "space"),
        ({"name": "s", "api_key": "k", "client_id": "c"}, "several kinds"),
        ({"name": "s", "aws_access_key_id": "AKIA"}, "AWS secret access key too"),
    ],
)
def test_a_wrong_secret_is_told(logged_in_client, data, words):
    answer = logged_in_client.post(reverse("admin:providers_secret_add"), data)
    assert words in answer.content.decode()
    assert not Secret.objects.exists()


def test_renaming_a_secret_keeps_its_value(logged_in_client, rows):
    secret = Secret.objects.get()
    logged_in_client.post(change_url(secret), {"name": "renamed"})
    assert Secret.objects.get().name == "renamed"
    assert ModelProvider.objects.get().credentials() == {"api_key": CANARY}


def test_replacing_a_secret_keeps_where_it_may_go(logged_in_client, rows):
    rows.set_status("available")
    secret = Secret.objects.get()
    logged_in_client.post(change_url(secret), {"name": secret.name, "api_key": "sk-2"})
    row = ModelProvider.objects.get()
    assert row.credentials() == {"api_key": "sk-2"}
    assert row.status == "pending"


# --- keys and the ledger ---


def test_keys_are_revoked_not_edited(logged_in_client, rows):
    key = AgentKey.objects.get()
    assert logged_in_client.post(change_url(key), {"last4": "x"}).status_code == 403
    act(logged_in_client, "agents_agentkey", "revoke", AgentKey.objects.all())
    assert not AgentKey.objects.get().is_live()
    assert logged_in_client.get(reverse("admin:agents_agentkey_add")).status_code == 403


def test_the_ledger_cannot_be_changed(logged_in_client, rows):
    record = UsageRecord.objects.get()
    assert logged_in_client.post(change_url(record), {}).status_code == 403
    url = reverse("admin:gateway_usagerecord_delete", args=[record.pk])
    assert logged_in_client.post(url, {"post": "yes"}).status_code == 403


def test_an_agent_is_wired_in_the_admin(logged_in_client, rows):
    agent = Agent.objects.get()
    wire = Wire.objects.get()
    data = {
        "name": "support",
        "access": "wired",
        "system_prompt": "",
        "wires-TOTAL_FORMS": "1",
        "wires-INITIAL_FORMS": "1",
        "wires-0-id": wire.pk,
        "wires-0-agent": agent.pk,
        "wires-0-role": "chat",
        "wires-0-provider": rows.pk,
        "wires-0-model_id": "gpt-4o",
    }
    assert logged_in_client.post(change_url(agent), data).status_code == 302
    wire.refresh_from_db()
    assert (wire.role, wire.model_id) == ("chat", "gpt-4o")


def test_times_in_the_admin_are_to_the_second_and_sort(logged_in_client, rows):
    page = logged_in_client.get("/admin/providers/secret/").content.decode()
    assert re.search(r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\b", page)

"""The Agents pages: they work, refuse bad input, need log-in and need POST."""

import re
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from providers import keys
from providers.models import ModelProvider
from runagents.agents.models import Agent, AgentKey, Wire
from runagents.agents.registration import deploy_hello_world, wire

pytestmark = pytest.mark.django_db

KEY = re.compile(r"ra_ag_[A-Za-z0-9]{38}")


@pytest.fixture(autouse=True)
def _no_platform_key(settings):
    settings.PLAYGROUND_LLM_API_KEY = ""


@pytest.fixture
def agent(provider):
    """The agent `support`, wired to gpt-4o-mini."""
    row = Agent.objects.create(name="support")
    wire(row, {"default": (provider(), "gpt-4o-mini")})
    return row


def post(client, name, *args, data=None, follow=False, **headers):
    url = reverse(name, args=args)
    return client.post(url, data or {}, follow=follow, headers=headers)


def text_of(response):
    return response.content.decode()


def tab_of(client, agent, tab):
    """Return a part of the agent's page."""
    return text_of(client.get(f"{agent.get_absolute_url()}?tab={tab}"))


# --- access ---

GET_PAGES = ["agent-list", "agent-create", "agent-upload", "agent-draft-wire"]
AGENT_PAGES = ["agent-detail", "agent-environment", "agent-delete"]
ACTIONS = ["agent-wire", "agent-run", "agent-key-create", "agent-delete"]


@pytest.mark.parametrize("name", GET_PAGES)
def test_pages_need_log_in(name):
    assert Client().get(reverse(name)).url.startswith("/login/")


@pytest.mark.parametrize("name", AGENT_PAGES)
def test_an_agents_pages_need_log_in(agent, name):
    answer = Client().get(reverse(name, args=["support"]))
    assert answer.url.startswith("/login/")


@pytest.mark.parametrize("name", ACTIONS)
def test_actions_need_log_in(agent, name):
    assert post(Client(), name, "support").url.startswith("/login/")
    assert Agent.objects.exists()
    assert not AgentKey.objects.exists()


@pytest.mark.parametrize("name", ["agent-wire", "agent-run", "agent-key-create"])
def test_actions_need_post(logged_in_client, agent, name):
    answer = logged_in_client.get(reverse(name, args=["support"]))
    assert answer.status_code == 405


def test_actions_need_the_csrf_token(administrator, agent):
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator)
    assert post(client, "agent-key-create", "support").status_code == 403
    assert post(client, "hello-world-deploy").status_code == 403


@pytest.mark.parametrize("name", AGENT_PAGES)
def test_an_unknown_agent_is_not_found(logged_in_client, name):
    answer = logged_in_client.get(reverse(name, args=["nobody"]))
    assert answer.status_code == 404


# --- list ---


def test_the_empty_list_offers_hello_world(logged_in_client):
    page = text_of(logged_in_client.get(reverse("agent-list")))
    assert "No agents yet." in page
    assert reverse("hello-world-deploy") in page


def test_the_list_shows_agents_with_models_and_live_keys(logged_in_client, agent):
    AgentKey.issue(agent)
    AgentKey.issue(agent)
    AgentKey.objects.first().revoke()
    page = text_of(logged_in_client.get(reverse("agent-list")))
    assert "default → gpt-4o-mini" in page
    assert re.search(r'data-label="Live keys">1<', page)


def names(page):
    """Return the agents a list shows, in order."""
    return re.findall(r'<a class="name tap" href="/agents/[^"]+">([^<]+)</a>', page)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["other", "support"]),
        ("q=SUPP", ["support"]),
        ("q=4o-MINI", ["support"]),
        ("q=nothing", []),
        ("q=%00", ["other", "support"]),
    ],
)
def test_the_list_is_narrowed(logged_in_client, agent, query, expected):
    Agent.objects.create(name="other")
    page = text_of(logged_in_client.get(f"{reverse('agent-list')}?{query}"))
    assert names(page) == expected
    assert ("No agent matches." in page) is not bool(expected)


def test_a_long_list_comes_in_pages(logged_in_client, db):
    for number in range(51):
        Agent.objects.create(name=f"a{number:02}")
    assert len(names(text_of(logged_in_client.get("/agents/?q=a")))) == 50
    page = text_of(logged_in_client.get("/agents/?q=a&page=2"))
    assert names(page) == ["a50"]
    assert 'rel="prev" href="?q=a&amp;page=1"' in page


def test_the_list_asks_the_database_as_often_for_many_agents(
    logged_in_client, agent, provider, django_assert_max_num_queries
):
    target = (provider("more"), "gpt-4o-mini")
    for number in range(20):
        row = Agent.objects.create(name=f"agent-{number}")
        wire(row, {"default": target, "chat": target})
    with django_assert_max_num_queries(10):
        logged_in_client.get(reverse("agent-list"))


# --- Hello World ---


def test_deploying_hello_world_leads_to_its_wired_page(logged_in_client):
    answer = post(logged_in_client, "hello-world-deploy")
    assert answer.url == "/agents/hello-world/"
    page = text_of(logged_in_client.get(answer.url))
    assert reverse("agent-run", args=["hello-world"]) in page
    page = tab_of(logged_in_client, Agent.objects.get(), "connect")
    assert "LLM_MODEL=gpt-4o-mini" in page
    assert "TOOL_URL_ECHO_TOOL=" in page


def test_deploying_twice_is_harmless(logged_in_client):
    post(logged_in_client, "hello-world-deploy")
    post(logged_in_client, "hello-world-deploy")
    assert (Agent.objects.count(), ModelProvider.objects.count()) == (1, 1)


@pytest.fixture
def own_server(edge, settings):
    """Makes the edge be the server itself."""
    settings.LISTEN_HOST = "127.0.0.1"
    settings.LISTEN_PORT = int(edge.url.rpartition(":")[2])
    return edge


def test_running_it_shows_what_it_printed(logged_in_client, own_server):
    deploy_hello_world()
    page = text_of(post(logged_in_client, "agent-run", "hello-world", follow=True))
    assert "Echo tool replied: Echo: hello" in page
    assert "Model replied: An answer." in page
    assert "<h1>hello-world</h1>" in page
    again = text_of(logged_in_client.get("/agents/hello-world/"))
    assert "Model replied" not in again


def test_running_it_by_script_gives_events(logged_in_client, own_server):
    deploy_hello_world()

    async def events():
        client = AsyncClient()
        client.cookies = logged_in_client.cookies
        answer = await client.post(
            reverse("agent-run", args=["hello-world"]),
            headers={"Accept": "text/html, text/event-stream"},
        )
        assert answer["Content-Type"].startswith("text/event-stream")
        return [event.decode() async for event in answer.streaming_content]

    told = async_to_sync(events)()
    assert all(event.startswith("data: ") for event in told)
    assert "data: Model replied: An answer." in told[-1]
    assert "<html" not in told[-1]


def test_what_it_printed_is_escaped(logged_in_client, own_server):
    own_server.answers["/tools/echo-tool/echo"] = (200, {"reply": "<script>x</script>"})
    deploy_hello_world()
    page = text_of(post(logged_in_client, "agent-run", "hello-world", follow=True))
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_a_failed_run_says_so(logged_in_client, own_server):
    own_server.answers["/v1/chat/completions"] = (502, {"error": {"message": "down"}})
    deploy_hello_world()
    page = text_of(post(logged_in_client, "agent-run", "hello-world", follow=True))
    assert "ended with status 1" in page
    assert "502: down" in page


def test_only_built_in_agents_can_be_run(logged_in_client, agent):
    assert post(logged_in_client, "agent-run", "support").status_code == 404
    page = text_of(logged_in_client.get(agent.get_absolute_url()))
    assert reverse("agent-run", args=["support"]) not in page


# --- its page ---


def test_the_page_shows_environment_keys_and_requests(logged_in_client, agent, record):
    AgentKey.issue(agent)
    record(call_id="c1", caller="support")
    page = tab_of(logged_in_client, agent, "connect")
    assert "LLM_GATEWAY_URL=http://testserver/v1/chat/completions" in page
    page = tab_of(logged_in_client, agent, "keys")
    assert str(AgentKey.objects.get()) in page
    # The figures come first, and whatever else the address says.
    for tab in ("overview", "", "nothing"):
        page = tab_of(logged_in_client, agent, tab)
        assert reverse("request-detail", args=["c1"]) in page
        assert page.index("Requests, 24 h") < page.index("openai/gpt-4o-mini")


def test_the_environment_can_be_downloaded(logged_in_client, agent, settings):
    settings.PUBLIC_URL = "https://llm.example.com"
    answer = logged_in_client.get(reverse("agent-environment", args=["support"]))
    assert answer["Content-Disposition"] == 'attachment; filename="support.env"'
    assert "OPENAI_BASE_URL=https://llm.example.com/v1\n" in text_of(answer)
    assert "platform-managed" in text_of(answer)


def test_wires_are_changed(logged_in_client, agent, provider):
    provider("two", models=("gpt-4o",))
    data = {"role_default": "openai/gpt-4o-mini", "role_chat": "two/gpt-4o"}
    answer = post(logged_in_client, "agent-wire", "support", data=data)
    assert answer.url == "/agents/support/?tab=wires"
    assert {(w.role, w.provider.name) for w in Wire.objects.all()} == {
        ("default", "openai"),
        ("chat", "two"),
    }


def test_a_wrong_wire_is_told(logged_in_client, agent):
    data = {"role_default": "openai/gpt-9"}
    answer = post(logged_in_client, "agent-wire", "support", data=data)
    assert answer.status_code == 422
    assert Wire.objects.get().model_id == "gpt-4o-mini"


def test_saving_keeps_a_wire_whose_model_is_gone(logged_in_client, agent):
    ModelProvider.objects.get().provider_models.all().delete()
    page = tab_of(logged_in_client, agent, "wires")
    assert "openai/gpt-4o-mini (not served now)" in page
    data = {"role_default": "openai/gpt-4o-mini"}
    post(logged_in_client, "agent-wire", "support", data=data)
    assert Wire.objects.get().model_id == "gpt-4o-mini"


# --- keys ---


def test_a_new_key_is_shown_once(logged_in_client, agent):
    answer = post(logged_in_client, "agent-key-create", "support")
    assert answer.url == f"{agent.get_absolute_url()}?tab=keys"
    url = answer.url
    answer = logged_in_client.get(url)
    key = KEY.search(text_of(answer)).group()
    assert not KEY.search(text_of(logged_in_client.get(url)))
    assert AgentKey.objects.count() == 1
    assert f"OPENAI_API_KEY={key}" in text_of(answer)
    assert answer["Cache-Control"] == "no-store"


def test_a_new_key_has_what_its_form_says(logged_in_client, agent):
    data = {"name": "ci", "expires_on": "2099-12-31", "reach": "openai/*"}
    post(logged_in_client, "agent-key-create", "support", data=data)
    row = AgentKey.objects.get()
    assert (row.name, row.models) == ("ci", ["openai/*"])
    assert row.expires_at.isoformat() == "2100-01-01T00:00:00+00:00"


def test_a_key_that_reaches_nothing_is_not_made(logged_in_client, agent):
    data = {"reach": "gpt-9"}
    answer = post(logged_in_client, "agent-key-create", "support", data=data)
    assert answer.status_code == 422
    assert "Nobody serves <code>gpt-9</code>." in text_of(answer)
    assert not AgentKey.objects.exists()


def test_rotating_makes_a_new_key_with_the_same_models(logged_in_client, agent):
    AgentKey.issue(agent, ["gpt-4o-mini"])
    old = AgentKey.objects.get()
    args = ("agent-key-rotate", "support", old.pk)
    answer = post(logged_in_client, *args, data={"grace": "0"}, follow=True)
    new = AgentKey.objects.get(digest=keys.digest(KEY.search(text_of(answer)).group()))
    old.refresh_from_db()
    assert not old.is_live()
    assert new.is_live()
    assert new.models == ["gpt-4o-mini"]


def test_a_rotated_key_may_go_on_for_a_while(logged_in_client, agent):
    AgentKey.issue(agent)
    old = AgentKey.objects.get()
    args = ("agent-key-rotate", "support", old.pk)
    page = text_of(post(logged_in_client, *args, data={"grace": "24"}, follow=True))
    assert f"The old key {old} works for another" in page
    old.refresh_from_db()
    assert old.is_live()
    left = old.expires_at - timezone.now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)


def test_a_grace_does_not_prolong_a_key(logged_in_client, agent):
    AgentKey.issue(agent)
    old = AgentKey.objects.get()
    old.expires_at = soon = timezone.now() + timedelta(minutes=1)
    old.save()
    args = ("agent-key-rotate", "support", old.pk)
    post(logged_in_client, *args, data={"grace": "24"})
    old.refresh_from_db()
    assert old.expires_at == soon


def test_a_grace_of_any_length_is_refused(logged_in_client, agent):
    AgentKey.issue(agent)
    args = ("agent-key-rotate", "support", AgentKey.objects.get().pk)
    answer = post(logged_in_client, *args, data={"grace": "9999"})
    assert answer.status_code == 400
    assert "ends after 24 h, 1 h, or at once." in text_of(answer)
    assert answer.content.count(b"<h1>") == 1
    assert AgentKey.objects.count() == 1


def test_many_keys_come_in_pages_the_revoked_ones_last(logged_in_client, agent):
    now = timezone.now()
    AgentKey.objects.bulk_create(
        AgentKey(agent=agent, digest=n, revoked_at=now if n % 2 else None)
        for n in range(120)
    )
    url = f"{agent.get_absolute_url()}?tab=keys"
    first = text_of(logged_in_client.get(url))
    assert first.count("Live<") == 50
    assert "Revoked" not in first
    assert text_of(logged_in_client.get(f"{url}&page=3")).count("Revoked") == 20
    assert f'href="{url}&amp;page=2"' in first


def test_a_revoked_key_is_dead(logged_in_client, agent):
    AgentKey.issue(agent)
    row = AgentKey.objects.get()
    post(logged_in_client, "agent-key-revoke", "support", row.pk)
    row.refresh_from_db()
    assert not row.is_live()
    again = post(logged_in_client, "agent-key-revoke", "support", row.pk)
    assert again.status_code == 404


def test_a_key_is_reached_through_its_own_agent_only(logged_in_client, agent):
    AgentKey.issue(Agent.objects.create(name="other"))
    row = AgentKey.objects.get()
    answer = post(logged_in_client, "agent-key-revoke", "support", row.pk)
    assert answer.status_code == 404


# --- figures ---


@pytest.fixture
def calls(record):
    """Makes rows of the ledger for `support`: `calls(200, 200, 502)`."""

    def make(*statuses, minutes_ago=1):
        for status in statuses:
            record(
                minutes_ago,
                caller="support",
                status=status,
                outcome="ok" if status < 400 else "upstream_error",
                input_tokens=1000,
                output_tokens=200,
            )

    return make


def test_the_list_shows_the_last_day_and_the_last_call(logged_in_client, agent, calls):
    calls(200, 200, 200, 502)
    calls(200, minutes_ago=3 * 24 * 60)
    page = text_of(logged_in_client.get(reverse("agent-list")))
    assert "25.0 % failed" in page
    assert "1 min ago" in page


def test_the_last_call_may_be_older_than_a_day(logged_in_client, agent, calls):
    calls(200, minutes_ago=3 * 24 * 60)
    assert "3 days ago" in text_of(logged_in_client.get(reverse("agent-list")))


def test_the_page_sums_the_last_day_up(logged_in_client, agent, calls):
    calls(200, 200, 502)
    page = text_of(logged_in_client.get(agent.get_absolute_url()))
    assert '<p class="value">3K / 600</p>' in page
    assert "33.3 %" in page


def test_the_page_says_where_in_the_code_a_role_is(logged_in_client, agent):
    Wire.objects.update(file="bot.py", line=7)
    assert "<code>bot.py:7</code>" in tab_of(logged_in_client, agent, "wires")
    assert "bot.py:7" in tab_of(logged_in_client, agent, "overview")


# --- deleting ---


def test_an_agent_in_use_is_deleted_by_its_name_only(logged_in_client, agent, calls):
    calls(200)
    answer = post(logged_in_client, "agent-delete", "support")
    assert answer.status_code == 422
    assert "Type support to confirm." in text_of(answer)
    assert Agent.objects.exists()
    post(logged_in_client, "agent-delete", "support", data={"confirm": "support"})
    assert not Agent.objects.exists()


def test_deleting_asks_first(logged_in_client, agent):
    page = text_of(logged_in_client.get(reverse("agent-delete", args=["support"])))
    assert "Delete support?" in page
    assert Agent.objects.exists()


def test_deleting_takes_keys_and_wires_along(logged_in_client, agent):
    AgentKey.issue(agent)
    assert post(logged_in_client, "agent-delete", "support").url == "/agents/"
    assert not Agent.objects.exists()
    assert not AgentKey.objects.exists()
    assert not Wire.objects.exists()


def test_a_role_whose_model_is_served_no_more_is_marked(logged_in_client, agent):
    address = agent.get_absolute_url()
    assert "no longer serves" not in logged_in_client.get(address).content.decode()
    ModelProvider.objects.get().provider_models.all().delete()
    page = logged_in_client.get(address).content.decode()
    assert "openai no longer serves gpt-4o-mini." in page

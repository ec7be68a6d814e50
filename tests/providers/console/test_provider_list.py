"""The Models list: its order, its totals, and what is done to several at once."""

import re

import pytest
from django.urls import reverse

from providers.models import ModelProvider, Secret
from runagents.agents.models import Agent, Wire

CHANGE = "/models/list/change/"
REMOVAL = "/models/list/removal/"


def names(page):
    """Return the providers a list shows, in order."""
    return re.findall(r'<span class="name">([^<]+)</span>', page.content.decode())


@pytest.fixture
def crowd(provider, record):
    """Three providers that every order puts otherwise."""
    provider("a", models=("m1",), provider_type="openai").set_status("available")
    provider("b", models=("m1", "m2"), provider_type="anthropic", enabled=False)
    provider("c", models=(), provider_type="ollama").set_status("failed", "Broken.")
    record(provider="c")
    record(provider="c")
    record(provider="b")


ORDERS = {
    "": ["a", "b", "c"],
    "-name": ["c", "b", "a"],
    "type": ["b", "c", "a"],
    "-type": ["a", "c", "b"],
    "status": ["c", "a", "b"],
    "-status": ["b", "a", "c"],
    "models": ["b", "a", "c"],
    "-models": ["c", "a", "b"],
    "requests": ["c", "b", "a"],
    "-requests": ["a", "b", "c"],
    "made-up": ["a", "b", "c"],
}


@pytest.mark.parametrize(("order", "expected"), ORDERS.items())
def test_the_list_is_sorted(logged_in_client, crowd, order, expected):
    assert names(logged_in_client.get(f"/models/?sort={order}")) == expected


@pytest.mark.parametrize("order", ["type", "status", "models", "requests"])
def test_equals_are_sorted_by_name(logged_in_client, provider, order):
    for name in "cab":
        provider(name)
    assert names(logged_in_client.get(f"/models/?sort={order}")) == ["a", "b", "c"]
    assert names(logged_in_client.get(f"/models/?sort=-{order}")) == ["a", "b", "c"]


def test_a_heading_leads_to_the_order_and_back_and_keeps_the_filter(
    logged_in_client, crowd
):
    page = logged_in_client.get("/models/?q=m1&sort=models").content.decode()
    assert 'aria-sort="descending"' in page
    assert "?q=m1&amp;sort=-models" in page
    assert "?q=m1&amp;sort=requests" in page
    page = logged_in_client.get("/models/?q=m1&sort=-models").content.decode()
    assert 'aria-sort="ascending"' in page


def test_further_pages_keep_the_order(logged_in_client, provider):
    for number in range(51):
        provider(f"p{number:03}", auth_type="none")
    page = logged_in_client.get("/models/?sort=-name")
    assert "?sort=-name&amp;page=2" in page.content.decode()
    assert names(logged_in_client.get("/models/?sort=-name&page=2")) == ["p000"]


@pytest.mark.parametrize("order", ["name", "models", "requests"])
def test_every_order_needs_a_fixed_number_of_queries(
    logged_in_client, provider, django_assert_max_num_queries, order
):
    for number in range(20):
        provider(f"p{number}", models=("m1", "m2"))
    with django_assert_max_num_queries(13):
        logged_in_client.get(f"/models/?sort={order}")


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def test_the_totals_name_providers_by_status_and_models(logged_in_client, crowd):
    text = text_of(logged_in_client.get("/models/"))
    assert "3 providers 1 Available 1 Failed 1 Disabled 2 models" in text


def test_the_totals_poll_while_somebody_is_checked(logged_in_client, provider):
    row = provider()
    url = reverse("provider-totals")
    assert "hx-trigger" in logged_in_client.get(url).content.decode()
    row.set_status("available")
    assert "hx-trigger" not in logged_in_client.get(url).content.decode()


def test_the_tick_of_a_row_survives_its_refresh(logged_in_client, provider):
    provider()
    page = logged_in_client.get("/models/openai/row/?names=openai").content.decode()
    assert re.search(r'value="openai"[^>]* checked>', page)
    page = logged_in_client.get("/models/openai/row/").content.decode()
    assert " checked>" not in page


def test_a_model_id_is_copied(logged_in_client, provider):
    provider(models=("gpt-4o",))
    page = logged_in_client.get("/models/").content.decode()
    assert 'data-copy="gpt-4o"' in page


# --- several at once ---


def test_the_ticked_are_tested_in_the_background(logged_in_client, crowd):
    page = logged_in_client.post(
        f"{CHANGE}?q=m1", {"action": "test", "names": ["a", "b"]}
    )
    assert (page.status_code, page["Location"]) == (302, "/models/?q=m1")
    statuses = dict(ModelProvider.objects.values_list("name", "status"))
    assert statuses == {"a": "pending", "b": "pending", "c": "failed"}
    assert "1 provider is being checked." in text_of(logged_in_client.get("/models/"))


def test_all_enabled_are_tested(logged_in_client, crowd):
    ModelProvider.objects.get(name="b").set_status("failed", "Broken.")
    page = logged_in_client.post("/models/list/check-all/")
    assert page["Location"] == "/models/"
    statuses = dict(ModelProvider.objects.values_list("name", "status"))
    assert statuses == {"a": "pending", "b": "failed", "c": "pending"}


def test_testing_all_counts_as_one_of_ten_checks_a_minute(logged_in_client, crowd):
    for _number in range(10):
        logged_in_client.post("/models/list/check-all/")
    ModelProvider.objects.get(name="a").set_status("available")
    logged_in_client.post("/models/list/check-all/")
    assert ModelProvider.objects.get(name="a").status == "available"
    text = text_of(logged_in_client.get("/models/"))
    assert "Ten checks a minute are the limit." in text


def test_the_ticked_are_enabled_and_disabled(logged_in_client, crowd):
    before = ModelProvider.objects.get(name="a").version
    logged_in_client.post(CHANGE, {"action": "disable", "names": ["a", "b"]})
    enabled = ModelProvider.objects.filter(enabled=True)
    assert [each.name for each in enabled] == ["c"]
    assert ModelProvider.objects.get(name="a").version == before + 1
    text = text_of(logged_in_client.get("/models/"))
    assert "1 provider was disabled." in text
    logged_in_client.post(CHANGE, {"action": "enable", "names": ["a", "b"]})
    assert not ModelProvider.objects.filter(enabled=False).exists()


def test_without_a_tick_nothing_happens(logged_in_client, crowd):
    logged_in_client.post(CHANGE, {"action": "disable"})
    assert ModelProvider.objects.filter(enabled=True).count() == 2
    text = text_of(logged_in_client.get("/models/"))
    assert "Tick the providers first." in text


def test_an_unknown_action_is_refused(logged_in_client, crowd):
    page = logged_in_client.post(CHANGE, {"action": "explode", "names": ["a"]})
    assert page.status_code == 400


@pytest.mark.parametrize("url", [CHANGE, "/models/list/check-all/"])
def test_changes_need_a_post(logged_in_client, db, url):
    assert logged_in_client.get(url).status_code == 405


# --- deleting several ---


def test_deleting_asks_first_on_a_page_of_its_own(logged_in_client, crowd):
    page = logged_in_client.post(CHANGE, {"action": "delete", "names": ["a", "b"]})
    assert page["Location"] == f"{REMOVAL}?names=a&names=b"
    text = text_of(logged_in_client.get(page["Location"]))
    assert "Delete 2 providers?" in text
    assert "They took 1 request in the last 24 hours." in text
    assert ModelProvider.objects.count() == 3


def test_deleting_what_was_called_asks_for_their_number(logged_in_client, crowd):
    form = {"names": ["a", "b"], "confirm": "3"}
    page = logged_in_client.post(REMOVAL, form)
    assert page.status_code == 422
    assert "Type 2 to confirm." in text_of(page)
    page = logged_in_client.post(REMOVAL, {**form, "confirm": "2"})
    assert page["Location"] == "/models/"
    assert [each.name for each in ModelProvider.objects.all()] == ["c"]


def test_secrets_go_along_if_asked_and_if_nothing_else_uses_them(
    logged_in_client, crowd
):
    shared = ModelProvider.objects.get(name="c").secret
    ModelProvider.objects.filter(name="b").update(secret=shared)
    own = ModelProvider.objects.get(name="a").secret
    form = {"names": ["a", "b"], "confirm": "2", "secrets": "1"}
    logged_in_client.post(REMOVAL, form)
    assert not Secret.objects.filter(pk=own.pk).exists()
    assert Secret.objects.filter(pk=shared.pk).exists()


def test_a_secret_that_two_of_them_share_goes_along(logged_in_client, crowd):
    shared = ModelProvider.objects.get(name="a").secret
    ModelProvider.objects.filter(name="c").update(secret=shared)
    form = {"names": ["a", "c"], "confirm": "2", "secrets": "1"}
    logged_in_client.post(REMOVAL, form)
    assert not Secret.objects.filter(pk=shared.pk).exists()


def test_wired_ones_are_named_and_stay(logged_in_client, crowd):
    agent = Agent.objects.create(name="bot")
    wired = ModelProvider.objects.get(name="a")
    Wire.objects.create(agent=agent, provider=wired, model_id="m1")
    text = text_of(logged_in_client.get(f"{REMOVAL}?names=a&names=b"))
    assert "Delete 1 provider?" in text
    assert "These stay" in text
    logged_in_client.post(REMOVAL, {"names": ["a", "b"], "confirm": "1"})
    assert {each.name for each in ModelProvider.objects.all()} == {"a", "c"}


# --- a copy ---


def test_a_clone_has_all_but_the_name_and_the_same_stored_secret(
    logged_in_client, provider
):
    source = provider(
        models=("gpt-4o", "o3"), priority=7, options={"version_path": "none"}
    )
    form = logged_in_client.get("/models/new/?clone=openai").context["form"]
    assert form["name"].value() == "openai-copy"
    assert form["models"].value() == "gpt-4o\no3"
    assert form["secret"].value() == source.secret.name
    assert form["priority"].value() == 7
    assert form["option_version_path"].value() == "none"
    assert form["api_key"].value() is None
    assert form["version"].value() is None


def test_a_clone_has_the_prices_and_capabilities_of_its_models(
    logged_in_client, provider
):
    source = provider(
        models=("gpt-4o", "o3"),
        requests_per_minute=60,
        options={"timeouts": {"total": 90}, "extra_headers": {"X-A": "b"}},
    )
    source.provider_models.filter(model_id="o3").update(
        upstream_id="o3-eu",
        base_model="o3",
        input_price="1.5",
        capabilities={"vision": True},
    )
    form = logged_in_client.get("/models/new/?clone=openai").context["form"]
    posted = {
        name: value
        for name in form.fields
        if (value := form[name].value()) not in (None, "", False)
    }
    posted["models"] = "o3\ngpt-4o\nnew"
    posted.pop("options", None)
    answer = logged_in_client.post("/models/new/", posted)
    assert answer.status_code == 302, answer.context["form"].errors
    copy = ModelProvider.objects.get(name="openai-copy")
    assert copy.options == source.options
    assert copy.requests_per_minute == 60
    assert [row.model_id for row in copy.provider_models.all()] == [
        "o3",
        "gpt-4o",
        "new",
    ]
    row = copy.provider_models.get(model_id="o3")
    assert (row.upstream_id, row.base_model, row.input_price) == ("o3-eu", "o3", 1.5)
    assert row.capabilities == {"vision": True}
    assert source.provider_models.count() == 2


def test_a_clone_of_nobody_is_a_404(logged_in_client, db):
    assert logged_in_client.get("/models/new/?clone=nobody").status_code == 404

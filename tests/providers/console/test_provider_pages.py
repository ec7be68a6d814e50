"""The Models pages: the list, one provider, and what can be done to it there."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from gateway.metrics.counts import Counts
from gateway.metrics.shelf import Shelf
from providers.models import ModelProvider, ProviderModel, Secret
from providers.vendors import VENDORS
from runagents.agents.models import Agent, Wire

KEY = "sk-upstream-key-0123456789"


def test_the_empty_list_offers_every_type_and_the_starter(logged_in_client):
    page = logged_in_client.get("/models/").content.decode()
    assert "No model providers yet." in page
    assert "Add starter Playground LLM" in page
    for kind in VENDORS:
        assert f"/models/new/?type={kind}" in page


def test_the_list_shows_name_host_models_and_status(logged_in_client, provider):
    row = provider("openai", models=("a", "b", "c", "d", "e"))
    row.set_status("failed", "The configuration is wrong.")
    page = logged_in_client.get("/models/").content.decode()
    assert "127.0.0.1:9" in page
    assert "+3" in page
    assert "The configuration is wrong." in page


def test_a_shared_model_names_the_provider_that_wins(logged_in_client, provider):
    provider("second", models=("m",), priority=50)
    provider("first", models=("m",), priority=10)
    page = logged_in_client.get("/models/").content.decode()
    assert page.count("shared → first") == 1
    assert page.count("shared, wins") == 1


def test_a_disabled_provider_shares_nothing(logged_in_client, provider):
    provider("second", models=("m",))
    provider("first", models=("m",), enabled=False)
    page = logged_in_client.get("/models/").content.decode()
    assert "shared → second" in page
    assert "shared → first" not in page


def test_the_list_needs_a_fixed_number_of_queries(
    logged_in_client, provider, django_assert_num_queries
):
    for number in range(20):
        provider(f"p{number}", models=("m1", "m2"))
    # session, user, the day's traffic: sums and the newest calls; how many, which,
    # themselves, their models, who shares them; the totals: providers, models; the
    # starter
    with django_assert_num_queries(13):
        logged_in_client.get("/models/")


def names(page):
    """Return the providers a list shows, in order."""
    return re.findall(r'<span class="name">([^<]+)</span>', page.content.decode())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=laud", ["claude"]),
        ("q=GPT-4O", ["off", "openai"]),
        ("type=anthropic", ["claude"]),
        ("status=failed", ["openai"]),
        ("status=disabled", ["off"]),
        ("status=made-up", ["claude", "off", "openai"]),
        ("q=nothing", []),
    ],
)
def test_the_list_is_narrowed(logged_in_client, provider, query, expected):
    provider("openai", models=("gpt-4o",)).set_status("failed", "Broken.")
    provider("claude", models=("claude-x",), provider_type="anthropic")
    provider("off", models=("gpt-4o",), enabled=False).set_status("failed", "Broken.")
    page = logged_in_client.get(f"/models/?{query}")
    assert names(page) == expected
    if not expected:
        assert "No provider matches." in page.content.decode()


def test_a_long_list_comes_in_pages(logged_in_client, provider):
    for number in range(51):
        provider(f"p{number:03}", auth_type="none")
    assert len(names(logged_in_client.get("/models/"))) == 50
    assert names(logged_in_client.get("/models/?page=2")) == ["p050"]
    assert names(logged_in_client.get("/models/?page=99")) == ["p050"]


TABS = {
    # session, user and the provider, then:
    "overview": 6,  # models, who else serves them, wires
    "models": 7,  # models: how many, which, themselves; what its list says
    "usage": 7,  # the day by model: sums, the newest calls, the busiest; waits
    "requests": 4,  # the newest
    "connect": 4,  # the first model
}


@pytest.mark.parametrize(("tab", "queries"), TABS.items())
def test_each_tab_asks_only_for_what_it_shows(
    logged_in_client, provider, django_assert_num_queries, tab, queries, called
):
    row = provider(models=tuple(f"m{number}" for number in range(30)))
    for number in range(5):
        agent = Agent.objects.create(name=f"agent-{number}")
        Wire.objects.create(agent=agent, provider=row, model_id=f"m{number}")
        called(f"c{number}", model=f"m{number}")
    with django_assert_num_queries(queries):
        logged_in_client.get(f"/models/openai/?tab={tab}")


def current(page):
    """Return the tabs of a page that are marked as the one shown."""
    nav = page.partition('<nav class="page-nav"')[2].partition("</nav>")[0]
    return re.findall(r'<a href="\?tab=(\w+)" aria-current="true"', nav)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_a_link_and_says_that_it_is_shown(logged_in_client, provider, tab):
    provider()
    page = logged_in_client.get(f"/models/openai/?tab={tab}").content.decode()
    assert current(page) == [tab]
    for other in TABS:
        assert f'href="?tab={other}"' in page


def test_without_a_tab_or_with_a_made_up_one_comes_the_overview(
    logged_in_client, provider
):
    provider()
    for query in ("", "?tab=nothing", "?tab=../x"):
        page = logged_in_client.get(f"/models/openai/{query}").content.decode()
        assert current(page) == ["overview"]


def test_htmx_gets_the_tab_alone_and_its_heading_has_the_focus(
    logged_in_client, provider
):
    provider()
    response = logged_in_client.get(
        "/models/openai/?tab=usage", headers={"HX-Request": "true"}
    )
    page = response.content.decode()
    assert page.startswith('<div class="stack" id="tabs">')
    assert "<html" not in page
    assert page.count("data-focus") == 1
    assert "HX-Request" in response["Vary"]


def test_unsaved_prices_are_not_swapped_away(logged_in_client, provider):
    provider()
    page = logged_in_client.get("/models/openai/?tab=models").content.decode()
    nav = page.partition('<nav class="page-nav"')[2].partition("</nav>")[0]
    assert "hx-get" not in nav


def test_a_pending_row_polls_and_a_checked_one_does_not(logged_in_client, provider):
    row = provider()
    assert b"every 1s" in logged_in_client.get("/models/openai/row/").content
    row.set_status("available", "Connected.")
    assert b"every 1s" not in logged_in_client.get("/models/openai/row/").content


def test_a_pending_status_polls_and_a_checked_one_does_not(logged_in_client, provider):
    row = provider()
    assert b"every 1s" in logged_in_client.get("/models/openai/status/").content
    row.set_status("available", "Connected.")
    assert b"every 1s" not in logged_in_client.get("/models/openai/status/").content


def test_a_disabled_pending_row_does_not_poll(logged_in_client, provider):
    provider(enabled=False)
    assert b"every 1s" not in logged_in_client.get("/models/openai/row/").content


def test_the_page_of_a_provider_has_snippets_with_a_real_model(
    logged_in_client, provider
):
    provider(models=("gpt-4o-mini",))
    page = logged_in_client.get("/models/openai/?tab=connect").content.decode()
    assert "curl http://testserver/v1/chat/completions" in page
    assert "&quot;model&quot;: &quot;gpt-4o-mini&quot;" in page


def test_no_page_of_a_provider_shows_its_secret(logged_in_client, provider):
    provider()
    tabs = [f"openai/?tab={tab}" for tab in TABS]
    for url in ("", *tabs, "openai/edit/", "openai/delete/", "openai/row/"):
        response = logged_in_client.get(f"/models/{url}")
        assert response.status_code == 200
        assert KEY not in response.content.decode()


def test_pages_open_while_a_secret_cannot_be_decrypted(logged_in_client, provider):
    provider()
    Secret.objects.update(sealed="v1:00000000:AAAA")
    for url in ("", "openai/", "openai/edit/"):
        assert logged_in_client.get(f"/models/{url}").status_code == 200


def test_an_unknown_provider_is_a_404(logged_in_client, db):
    assert logged_in_client.get("/models/nobody/").status_code == 404


# --- model settings ---


def settings_form(row, **fields):
    """What the table of models posts, for a provider with one model."""
    model = row.provider_models.get()
    values = {
        "upstream_id": "",
        "base_model": "",
        "input_price": "",
        "output_price": "",
        "cached_input_price": "",
        **fields,
    }
    return {
        "provider_models-TOTAL_FORMS": "1",
        "provider_models-INITIAL_FORMS": "1",
        "provider_models-0-id": str(model.pk),
        **{f"provider_models-0-{name}": value for name, value in values.items()},
    }


def test_prices_and_upstream_ids_are_set_on_the_page(logged_in_client, provider):
    row = provider()
    posted = settings_form(row, upstream_id="deployment-7", input_price="0.15")
    response = logged_in_client.post("/models/openai/", posted)
    assert response.url == "/models/openai/?tab=models"
    model = ProviderModel.objects.get()
    assert (model.upstream_id, str(model.input_price)) == ("deployment-7", "0.150000")


def models_of(page):
    """Return the models that the table shows, in order."""
    return re.findall(r"<tr><td><code>([^<]+)</code>", page.content.decode())


def test_very_many_models_come_in_pages(logged_in_client, provider):
    provider(models=tuple(f"m{number:03}" for number in range(120)))
    page = logged_in_client.get("/models/openai/?tab=models&page=2")
    assert models_of(page) == [f"m{number:03}" for number in range(50, 100)]
    assert b'rel="next" href="?tab=models&amp;page=3"' in page.content
    page = logged_in_client.get("/models/openai/?tab=models&q=M11")
    assert models_of(page) == [f"m11{number}" for number in range(10)]
    page = logged_in_client.get("/models/openai/?tab=models&q=nothing")
    assert models_of(page) == []
    assert b"No model matches." in page.content
    assert (
        len(models_of(logged_in_client.get("/models/openai/?tab=models&q=%00"))) == 50
    )


def test_a_page_of_models_is_stored_and_shown_again(logged_in_client, provider):
    row = provider(models=tuple(f"m{number:03}" for number in range(120)))
    model = row.provider_models.get(model_id="m077")
    posted = {
        "provider_models-TOTAL_FORMS": "1",
        "provider_models-INITIAL_FORMS": "1",
        "provider_models-0-id": str(model.pk),
        "provider_models-0-input_price": "0.5",
    }
    url = "/models/openai/?tab=models&page=2"
    assert logged_in_client.post(url, posted).url == url
    model.refresh_from_db()
    assert model.input_price == Decimal("0.5")
    posted["provider_models-0-input_price"] = "-1"
    page = logged_in_client.post(url, posted)
    assert page.status_code == 422
    assert models_of(page) == ["m077"]


@pytest.mark.parametrize(
    "fields", [{"input_price": "-1"}, {"output_price": "x"}, {"upstream_id": "a\tb"}]
)
def test_wrong_model_settings_are_refused(logged_in_client, provider, fields):
    posted = settings_form(provider(), **fields)
    response = logged_in_client.post("/models/openai/", posted)
    assert response.status_code == 422
    assert current(response.content.decode()) == ["models"]
    model = ProviderModel.objects.get()
    assert (model.upstream_id, model.input_price) == ("", None)


def test_models_of_another_provider_cannot_be_changed_here(logged_in_client, provider):
    other = provider("other", models=("x",))
    provider("openai")
    posted = settings_form(other, upstream_id="stolen")
    response = logged_in_client.post("/models/openai/", posted)
    assert response.status_code == 422
    assert not ProviderModel.objects.filter(upstream_id="stolen").exists()


# --- enable, disable, delete ---


def test_a_provider_is_disabled_and_enabled(logged_in_client, provider):
    row = provider()
    stays = {"enabled": "0", "stay": "1"}
    assert logged_in_client.post("/models/openai/toggle/", stays).url == "/models/"
    row.refresh_from_db()
    assert not row.enabled
    logged_in_client.post("/models/openai/toggle/", {"enabled": "1"})
    row.refresh_from_db()
    assert row.enabled


def test_deleting_asks_for_the_name(logged_in_client, provider, record):
    provider()
    record(provider="openai")
    page = logged_in_client.get("/models/openai/delete/").content.decode()
    assert "Type openai to confirm" in page
    response = logged_in_client.post("/models/openai/delete/", {"confirm": "oops"})
    assert response.status_code == 422
    assert "Type openai to confirm." in response.content.decode()
    assert ModelProvider.objects.exists()


def test_deleting_what_nobody_calls_asks_for_no_name(logged_in_client, provider):
    provider()
    page = logged_in_client.get("/models/openai/delete/").content.decode()
    assert "to confirm" not in page
    assert '<input type="hidden" name="confirm" value="openai">' in page


def test_a_provider_is_deleted_with_its_secret(logged_in_client, provider):
    provider()
    posted = {"confirm": "openai", "secret": "1"}
    response = logged_in_client.post("/models/openai/delete/", posted)
    assert response.url == "/models/"
    assert not ModelProvider.objects.exists()
    assert not Secret.objects.exists()


def test_a_secret_that_others_use_survives_the_provider(logged_in_client, provider):
    row = provider("openai")
    provider("second", secret=row.secret)
    posted = {"confirm": "openai", "secret": "1"}
    logged_in_client.post("/models/openai/delete/", posted)
    assert Secret.objects.get() == row.secret


def test_a_wired_provider_is_not_deleted(logged_in_client, provider):
    row = provider()
    agent = Agent.objects.create(name="support-bot")
    Wire.objects.create(agent=agent, role="chat", provider=row, model_id="gpt-4o-mini")
    page = logged_in_client.get("/models/openai/delete/").content.decode()
    assert "support-bot" in page
    assert "Disable instead" in page
    response = logged_in_client.post("/models/openai/delete/", {"confirm": "openai"})
    assert response.status_code == 422
    assert ModelProvider.objects.exists()


def test_the_starter_button_may_be_pressed_twice(logged_in_client, db):
    for _ in range(2):
        response = logged_in_client.post(reverse("starter-create"))
        assert response.status_code == 302
    assert ModelProvider.objects.get().name == "playground-llm"
    assert b"Add starter Playground LLM" not in logged_in_client.get("/models/").content


def test_the_starter_moves_to_openai_once_a_key_is_set(logged_in_client, settings, db):
    settings.PLAYGROUND_LLM_API_KEY = ""
    logged_in_client.post(reverse("starter-create"))
    settings.PLAYGROUND_LLM_API_KEY = "sk-platform-0123456789"
    assert b"Add starter Playground LLM" in logged_in_client.get("/models/").content
    logged_in_client.post(reverse("starter-create"))
    assert ModelProvider.objects.get().endpoint == "https://api.openai.com"
    assert b"Add starter Playground LLM" not in logged_in_client.get("/models/").content


def test_the_list_says_that_the_sandbox_is_no_model(logged_in_client, settings, db):
    settings.PLAYGROUND_LLM_API_KEY = ""
    logged_in_client.post(reverse("starter-create"))
    row = ModelProvider.objects.get()
    row.set_status("available", "Answers come from the offline sandbox.")
    page = logged_in_client.get("/models/").content.decode()
    assert "Answers come from the offline sandbox.</div>" in page


def test_a_model_that_another_provider_serves_is_told_while_typing(
    logged_in_client, provider
):
    provider("first", models=("gpt-4o",))
    url = reverse("provider-field") + "?field=models"
    data = {"provider_type": "openai", "models": "gpt-4o\nmine"}
    page = logged_in_client.post(url, data).content.decode()
    assert "<code>gpt-4o</code> is also served by <strong>first</strong>" in page
    assert "mine" not in page


@pytest.fixture
def called(record):
    """Stores a call to the provider: `called("c1", model="o3")`."""
    tokens = {"input_tokens": 1200, "output_tokens": 34}
    return lambda call_id, **fields: record(0, call_id=call_id, **{**tokens, **fields})


def test_the_tabs_show_usage_and_the_newest_requests(
    logged_in_client, provider, called
):
    url = provider().get_absolute_url()
    called("c1")
    called("c2", model="o3", input_tokens=300)
    page = logged_in_client.get(f"{url}?tab=requests").content.decode()
    assert reverse("request-detail", args=["c1"]) in page
    page = logged_in_client.get(f"{url}?tab=usage").content.decode()
    for tokens in ("1.5K / 68", "1.2K / 34", "300 / 34"):
        assert tokens in page


def test_the_form_starts_with_the_model_in_its_address(logged_in_client):
    url = reverse("provider-create") + "?type=anthropic&model=claude-x"
    page = logged_in_client.get(url).content.decode()
    assert re.search(r'<textarea name="models".*?>claude-x</textarea>', page, re.S)


@pytest.mark.parametrize(("enabled", "expected"), [("0", False), ("1", True)])
def test_pressing_twice_undoes_nothing(logged_in_client, provider, enabled, expected):
    provider("openai", enabled=not expected)
    for _ in range(2):
        logged_in_client.post("/models/openai/toggle/", {"enabled": enabled})
    assert ModelProvider.objects.get().enabled is expected
    version = ModelProvider.objects.get().version
    assert logged_in_client.post("/models/openai/toggle/").status_code == 400
    assert ModelProvider.objects.get().version == version


@pytest.mark.parametrize("address", ["/models/", "/models/openai/"])
@pytest.mark.parametrize(("enabled", "sent"), [(True, "0"), (False, "1")])
def test_the_button_says_which_way(logged_in_client, provider, address, enabled, sent):
    provider("openai", enabled=enabled)
    page = logged_in_client.get(address).content.decode()
    assert f'name="enabled" value="{sent}"' in page


def test_taking_a_wired_model_away_asks_first_and_names_the_agents(
    logged_in_client, provider
):
    row = provider(models=("gpt-4o-mini", "o3"))
    agent = Agent.objects.create(name="support-bot")
    Wire.objects.create(agent=agent, role="chat", provider=row, model_id="gpt-4o-mini")
    posted = {
        "name": "openai",
        "provider_type": "openai",
        "endpoint": row.endpoint,
        "private_network": "on",
        "auth_type": "api_key",
        "header_name": "Authorization",
        "value_prefix": "Bearer ",
        "models": "o3",
        "version": row.version,
    }
    answer = logged_in_client.post("/models/openai/edit/", posted)
    assert answer.status_code == 409
    assert "support-bot" in answer.content.decode()
    assert row.provider_models.count() == 2
    posted["unwire"] = "on"
    answer = logged_in_client.post("/models/openai/edit/", posted)
    assert answer.status_code == 302
    assert [model.model_id for model in row.provider_models.all()] == ["o3"]


@pytest.mark.parametrize(
    ("address", "shown"), [("https://sso.example/go", True), ("", False)]
)
def test_the_redirect_url_is_shown_where_somebody_signs_in(
    logged_in_client, provider, address, shown
):
    provider(
        auth_type="oauth2",
        token_url="https://sso.example/token",
        authorization_url=address,
    )
    page = logged_in_client.get("/models/openai/").content.decode()
    assert ("http://testserver/models/oauth/callback/" in page) is shown


def test_the_kind_of_a_model_is_shown_and_set(logged_in_client, provider):
    row = provider(models=("docs",))
    row.provider_models.update(capabilities={"vision": True})
    page = logged_in_client.get("/models/openai/?tab=models").content.decode()
    assert "Chat, by name" in page
    for kind, capabilities in (
        ("embedding", {"vision": True, "kind": "embedding"}),
        ("", {"vision": True}),
    ):
        posted = settings_form(row, kind=kind)
        assert logged_in_client.post("/models/openai/", posted).status_code == 302
        model = ProviderModel.objects.get()
        assert model.capabilities == capabilities
        assert model.kind == (kind or "chat")
    posted = settings_form(row, kind="picture")
    assert logged_in_client.post("/models/openai/", posted).status_code == 422


def test_what_a_viewer_sees_tells_the_kind(logged_in_client, provider):
    provider(models=("text-embedding-3-small",))
    page = logged_in_client.get("/models/openai/?tab=models").content.decode()
    assert "Embeddings, by name" in page
    assert "Embeddings" in logged_in_client.get("/models/").content.decode()


def test_keys_that_rest_stand_beside_the_secret(
    logged_in_client, provider, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    shelf = Shelf(tmp_path / "metrics")
    shelf.open()
    told = {"resting_keys": [["openai", "cdef", 540], ["other", "beef", 9]]}
    shelf.put({**Counts().dump(), "worker": told})
    page = logged_in_client.get(provider().get_absolute_url()).content.decode()
    shelf.close()
    assert "••••cdef was turned away and rests for 9 min" in page
    assert "••••beef" not in page


def test_the_overview_says_how_calls_for_a_model_are_shared(logged_in_client, provider):
    for name, weight in (("east", 3), ("west", 1)):
        provider(name, models=("gpt-4.1",), options={"weight": weight})
    page = logged_in_client.get("/models/east/").content.decode()
    assert "shared, 3 of 4" in page
    assert "Calls are shared by weight: east 3, west 1." in page


def test_a_price_is_shown_without_zeros_that_its_field_has_no_room_for(
    logged_in_client, provider
):
    row = provider()
    row.provider_models.update(input_price="2.5", output_price="10")
    page = logged_in_client.get(f"{row.get_absolute_url()}?tab=models").content.decode()
    prices = re.findall(r'_price" value="([^"]*)"', page)
    assert prices == ["2.5", "10"]

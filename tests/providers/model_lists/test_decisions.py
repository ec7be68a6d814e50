"""A person accepts or dismisses what a provider's list is proposed to change here."""

import pytest
from django.urls import reverse
from django.utils import timezone

from providers.models import ModelList, RegistryVersion
from runagents.agents import registration
from runagents.agents.models import Agent
from runagents.models import AuditEntry


@pytest.fixture
def row(provider):
    """Serves a, b and c; b is not listed, d and e are new, the price of a changed."""
    made = provider(models=("a", "b", "c"))
    ModelList.objects.create(
        provider=made,
        endpoint=made.endpoint,
        asked_at=timezone.now(),
        listed_at=timezone.now(),
        offered=["a", "c", "d", "e"],
        new=["d", "e"],
        prices={"a": ["2", "8", "1"]},
        listed_prices={"a": ["3", "9", "1"]},
        proposals=4,
    )
    return made


@pytest.fixture
def decide(logged_in_client, row):
    """Presses a button of the provider's page."""

    def press(**pressed):
        seen = ModelList.objects.get().asked_at.isoformat()
        url = reverse("provider-decide", args=[row.name])
        return logged_in_client.post(url, {"seen": seen, **pressed}, follow=True)

    return press


def served(row):
    return [each.model_id for each in row.provider_models.all()]


def left():
    return ModelList.objects.get().proposals


def test_a_new_model_that_is_accepted_is_served_last(row, decide):
    decide(accept="new d")
    assert served(row) == ["a", "b", "c", "d"]
    assert left() == 3


def test_all_new_ones_are_accepted_at_once(row, decide):
    decide(accept="new")
    assert served(row) == ["a", "b", "c", "d", "e"]
    assert left() == 2


def test_a_model_that_is_gone_is_served_no_more(row, decide):
    decide(accept="gone b")
    assert served(row) == ["a", "c"]


def test_a_model_that_an_agent_is_wired_to_stays(row, decide):
    registration.wire(Agent.objects.create(name="bot"), {"default": (row, "b")})
    page = decide(accept="gone b")
    assert served(row) == ["a", "b", "c"]
    assert "bot is wired to b. Rewire it first." in page.content.decode()
    assert left() == 4


def test_the_last_model_stays(row, decide):
    row.provider_models.exclude(model_id="b").delete()
    page = decide(accept="gone")
    assert served(row) == ["b"]
    assert "would serve no model" in page.content.decode()


def test_an_entered_price_becomes_the_lists(row, decide):
    row.provider_models.filter(model_id="a").update(input_price=2, output_price=8)
    decide(accept="prices a")
    model = row.provider_models.get(model_id="a")
    prices = (model.input_price, model.output_price, model.cached_input_price)
    assert prices == (3, 9, 1)
    assert left() == 3


def test_a_price_of_the_list_is_noted_and_stays_the_lists(row, decide):
    decide(accept="prices a")
    assert row.provider_models.get(model_id="a").input_price is None
    assert left() == 3


@pytest.mark.parametrize("what", ["new d", "gone b", "prices a"])
def test_what_is_dismissed_changes_nothing_and_is_not_proposed_again(row, decide, what):
    row.provider_models.filter(model_id="a").update(input_price=2, output_price=8)
    before = [*row.provider_models.values()], RegistryVersion.current()
    decide(dismiss=what)
    assert ([*row.provider_models.values()], RegistryVersion.current()) == before
    assert left() == 3


def test_decisions_stand_in_the_audit_log(row, decide):
    decide(accept="new d")
    decide(accept="gone b")
    decide(dismiss="new")
    told = [(x.action, x.kind, x.label, x.fields) for x in AuditEntry.objects.all()]
    assert ("add", "model", "openai/d") in [each[:3] for each in told]
    assert ("delete", "model", "openai/b", []) in told
    assert ("change", "model list", "openai: e", ["dismissed"]) in told


def test_what_is_accepted_counts_as_an_edit(row, decide):
    decide(accept="new d")
    before, after = row.version, type(row).objects.get().version
    assert after > before


def test_a_list_that_was_asked_for_anew_decides_nothing(row, decide):
    page = decide(accept="new", seen="2026-01-01T00:00:00+00:00")
    assert served(row) == ["a", "b", "c"]
    assert "asked for anew meanwhile" in page.content.decode()


@pytest.mark.parametrize("pressed", [{}, {"accept": "all"}, {"dismiss": ""}])
def test_what_names_no_change_is_refused(row, decide, pressed):
    assert decide(**pressed).status_code == 400


def test_an_id_that_is_none_is_told_and_does_not_stop_the_others(row, decide):
    long = "x" * 600
    ModelList.objects.update(new=["d", long], offered=["a", "b", "c", "d", long])
    page = decide(accept="new")
    assert served(row) == ["a", "b", "c", "d"]
    assert "x" * 80 in page.content.decode()


# --- what the pages show ---


def test_the_models_tab_shows_what_waits(row, logged_in_client):
    page = logged_in_client.get(f"{row.get_absolute_url()}?tab=models")
    text = page.content.decode()
    for said in ("New at the provider (2)", "Not listed by the provider (1)"):
        assert said in text
    assert 'aria-label="Accept d"' in text


def test_a_viewer_sees_it_without_buttons(row, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("viewer"))
    text = client.get(f"{row.get_absolute_url()}?tab=models").content.decode()
    assert "New at the provider (2)" in text
    assert 'name="accept"' not in text
    assert "Accept" not in text


def test_the_list_of_providers_says_where_something_waits(row, logged_in_client):
    text = logged_in_client.get(reverse("provider-list")).content.decode()
    assert "4 changes of what providers list wait" in text
    assert reverse("provider-changes") in text


def test_all_that_waits_stands_on_one_page(row, logged_in_client):
    text = logged_in_client.get(reverse("provider-changes")).content.decode()
    assert "New at the provider (2)" in text
    assert 'name="stay" value="list"' in text


def test_a_thousand_are_a_hundred_and_a_number(row, logged_in_client):
    names = [f"m-{number:04}" for number in range(1000)]
    ModelList.objects.update(new=names, offered=names)
    text = logged_in_client.get(f"{row.get_absolute_url()}?tab=models").content.decode()
    assert "New at the provider (1,000)" in text
    assert text.count('value="new m-') == 200
    assert "And 900 more" in text


def test_why_a_list_was_not_read_is_told(row, logged_in_client):
    ModelList.objects.update(trouble="It is away.", new=[], offered=[])
    text = logged_in_client.get(f"{row.get_absolute_url()}?tab=models").content.decode()
    assert "could not be read" in text
    assert "It is away." in text


def test_ids_of_a_provider_are_shown_as_text(row, logged_in_client):
    ModelList.objects.update(new=["<b>d"], offered=["<b>d"])
    text = logged_in_client.get(f"{row.get_absolute_url()}?tab=models").content.decode()
    assert "<b>d" not in text


@pytest.mark.parametrize(
    ("offered", "told"),
    [(["d"], "1 model in its list"), (["a", "d"], "2 models in its list")],
)
def test_the_models_of_a_list_are_counted_in_words(
    row, logged_in_client, offered, told
):
    ModelList.objects.update(offered=offered)
    text = logged_in_client.get(f"{row.get_absolute_url()}?tab=models").content.decode()
    assert told in " ".join(text.split())

"""Once a day what a provider lists is kept; what differs waits for a person."""

import asyncio
import datetime

import pytest
from django.utils import timezone

from gateway.ledger.prices import ListPrice
from providers import status, transport
from providers.model_lists import differences
from providers.models import ModelList
from providers.status import CheckResult
from providers.transport.guard import Rules
from tests.faults import FaultServer, json_answer

LISTED: dict[str, ListPrice] = {}


def list_price(provider_type, endpoint, model):
    """Stands for the price list."""
    return LISTED.get(model, ListPrice())


@pytest.fixture(autouse=True)
def price_list(settings):
    settings.LIST_PRICES = f"{__name__}.list_price"
    LISTED.clear()
    return LISTED


def listing(*models, **more):
    return CheckResult("available", "Connected.", models=[*models], **more)


def look(row, *models, days=1, by_hand=False):
    """Let a check find these models, so many days later."""
    ModelList.objects.update(asked_at=timezone.now() - datetime.timedelta(days=days))
    status.keep(row, listing(*models, is_list_whole=True), by_hand=by_hand)
    return waiting(row)


def waiting(row):
    models = list(row.provider_models.all())
    return differences.of(ModelList.objects.get(provider=row), models, row.vendor)


def test_what_was_there_at_first_is_not_new(provider):
    row = provider(models=("a",))
    assert look(row, "a", "b", "c") == ([], [], [])


def test_a_model_that_came_up_is_new_until_somebody_serves_it(provider):
    row = provider(models=("a",))
    look(row, "a", "b")
    assert look(row, "a", "b", "c").new == ["c"]
    assert look(row, "a", "b", "c", "d").new == ["c", "d"]
    row.serve("c")
    assert waiting(row).new == ["d"]


def test_a_model_that_went_away_again_is_not_new_any_more(provider):
    row = provider(models=("a",))
    look(row, "a")
    look(row, "a", "b")
    assert look(row, "a").new == []
    assert look(row, "a", "b").new == ["b"]


def test_a_model_that_is_not_listed_is_gone(provider):
    row = provider(models=("a", "b"))
    assert look(row, "a").gone == ["b"]
    assert look(row, "a", "b").gone == []


def test_it_is_the_upstream_id_that_is_listed(provider):
    row = provider(models=("a",))
    row.provider_models.update(upstream_id="theirs")
    assert look(row, "theirs").gone == []


def test_an_alias_stands_for_what_it_names(provider):
    row = provider(
        models=("claude-x-latest",), provider_type="anthropic", header_name="x-api-key"
    )
    look(row, "claude-x-20260101")
    assert look(row, "claude-x-20260101", "claude-x-20270101") == ([], [], [])


def test_within_a_day_nothing_is_taken_unless_somebody_asks(provider):
    row = provider(models=("a",))
    look(row, "a")
    assert look(row, "a", "b", days=0.9).new == []
    assert look(row, "a", "b", days=0.9, by_hand=True).new == ["b"]


def test_a_clock_that_was_set_back_does_not_stop_it(provider):
    row = provider(models=("a",))
    look(row, "a")
    assert look(row, "a", "b", days=-3).new == ["b"]


def test_a_list_that_cannot_be_read_proposes_nothing_and_says_why(provider):
    row = provider(models=("a", "b"))
    look(row, "a", "b")
    ModelList.objects.update(asked_at=timezone.now() - datetime.timedelta(days=1))
    status.keep(row, CheckResult("unavailable", "It is away.", hint="Look."))
    kept = ModelList.objects.get()
    assert kept.trouble == "It is away. Look."
    assert waiting(row) == ([], [], [])
    assert kept.offered == ["a", "b"]


def test_one_that_could_not_be_read_is_read_an_hour_later(provider):
    row = provider(models=("a",))
    look(row, "a")
    ModelList.objects.update(trouble="It was away.")
    assert look(row, "a", "b", days=0.03).new == []
    assert look(row, "a", "b", days=0.05).new == ["b"]
    assert ModelList.objects.get().trouble == ""


def test_a_part_of_a_list_says_nothing_of_what_is_gone(provider):
    row = provider(models=("a", "b"))
    status.keep(row, listing("a"))
    assert waiting(row) == ([], [], [])


def test_another_address_is_another_list(provider):
    row = provider(models=("a",))
    look(row, "a")
    row.endpoint = "http://127.0.0.1:10"
    row.save()
    assert look(row, "x", "y", days=0) == ([], ["a"], [])


def test_a_list_price_that_changed_is_told_with_the_one_before(provider, price_list):
    row = provider(models=("a",))
    price_list["a"] = ListPrice(2, 8, 1)
    assert look(row, "a").prices == []
    price_list["a"] = ListPrice(3, 8, 1)
    (change,) = look(row, "a").prices
    assert (change.before, change.after, change.own) == ((2, 8, 1), (3, 8, 1), None)
    price_list["a"] = ListPrice(2, 8, 1)
    assert look(row, "a").prices == []


def test_a_price_that_becomes_known_or_unknown_is_no_change(provider, price_list):
    row = provider(models=("a",))
    look(row, "a")
    price_list["a"] = ListPrice(2, 8, 1)
    assert look(row, "a").prices == []
    price_list.clear()
    assert look(row, "a").prices == []


def test_the_offline_playground_has_no_list(provider, settings):
    from providers import starter

    settings.PLAYGROUND_LLM_API_KEY = ""
    row = starter.add_playground_llm()
    status.keep(row, listing("a", is_list_whole=True))
    assert not ModelList.objects.exists()


def test_what_is_registered_meanwhile_is_counted_at_the_next_check(provider):
    row = provider(models=("a",))
    look(row, "a")
    look(row, "a", "b")
    assert ModelList.objects.get().proposals == 1
    row.serve("b")
    status.keep(row, listing("a", "b", is_list_whole=True))
    assert ModelList.objects.get().proposals == 0


@pytest.fixture
def upstream():
    rules = Rules(private_networks=("127.0.0.0/8", "::1/128"))
    way = transport.use(transport.GuardedTransport(rules))
    with way, FaultServer() as server:
        yield server


@pytest.mark.django_db(transaction=True)
def test_the_check_that_nobody_asked_for_brings_the_list(provider, upstream):
    row = provider(endpoint=upstream.url, models=("a",))
    for models in (["a"], ["a", "b"]):
        upstream.answer = json_answer({"data": [{"id": each} for each in models]})
        past = timezone.now() - datetime.timedelta(days=2)
        ModelList.objects.update(asked_at=past)
        type(row).objects.update(status="pending")
        asyncio.run(status.check_due(timezone.now()))
    assert waiting(row).new == ["b"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answer", [{"data": []}, {"error": "no"}])
def test_a_list_of_nothing_is_none(provider, upstream, answer):
    row = provider(endpoint=upstream.url, models=("a",))
    upstream.answer = json_answer(answer)
    type(row).objects.update(status="pending")
    asyncio.run(status.check_due(timezone.now()))
    assert waiting(row) == ([], [], [])
    assert ModelList.objects.get().trouble


def test_two_hosts_take_one_list(provider):
    """The second comes with an older one: it is not taken, the day has begun."""
    row = provider(models=("a",))
    look(row, "a", "b")
    status.keep(row, listing("a", is_list_whole=True))
    assert ModelList.objects.get().offered == ["a", "b"]

"""A provider's calls follow it when it is given another name."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gateway.ledger import summaries
from gateway.ledger.flusher import Flusher
from gateway.ledger.upkeep import Upkeep
from gateway.models import UsageRecord, UsageSummary
from gateway.worker import renames
from providers.models import (
    BodyWindow,
    ModelProvider,
    ProviderRename,
    Secret,
    WorkspaceKey,
)
from runagents.agents.models import Agent, AgentKey


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(renames, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr("gateway.ledger.upkeep.PATIENCE_SECONDS", 60)


def rename(old, new):
    row = ModelProvider.objects.get(name=old)
    row.name = new
    row.save()
    Secret.objects.filter(providers=row).update(name=f"{new}-secret")


def later():
    """Let the time pass in which calls of before may still come."""
    ProviderRename.objects.update(at=timezone.now() - timedelta(minutes=1))


def models_of(name):
    rows = UsageRecord.objects.filter(provider=name)
    return sorted(rows.values_list("model", flat=True))


def summed(name, span):
    rows = UsageSummary.objects.filter(provider=name, span=span, level="models")
    return sum(rows.values_list("requests", flat=True))


def test_sums_that_grow_take_the_new_name(record, patient, provider, tmp_path):
    provider(name="old")
    record(minutes_ago=60, provider="old")
    upkeep = Upkeep(Flusher(tmp_path), renames.are_over)
    upkeep._summarise()
    rename("old", "new")
    renames.carry_on()
    row = record(minutes_ago=60, provider="new")
    upkeep._flusher.touched_hours = {int(row.started_at.timestamp() // 3600)}
    upkeep._summarise()
    assert (summed("new", "hour"), summed("old", "hour")) == (2, 0)


def test_rows_and_sums_take_the_new_name(record, patient, provider):
    provider(name="old")
    for hours in (1, 2, 50):
        record(minutes_ago=60 * hours, provider="old")
    record(minutes_ago=60, provider="other")
    summaries.refresh(summaries.unfinished())
    rename("old", "new")
    renames.carry_on()
    assert len(models_of("new")) == 3
    assert [summed("new", span) for span in ("hour", "6h", "day")] == [3, 3, 3]
    assert [summed("old", span) for span in ("hour", "6h", "day")] == [0, 0, 0]
    assert summed("other", "day") == 1


def test_providers_that_swap_names_keep_their_own_calls(record, patient, provider):
    for name in ("a", "b"):
        provider(name=name)
        record(minutes_ago=90, provider=name, model=f"served-by-{name}")
    rename("a", "between")
    rename("b", "a")
    rename("between", "b")
    later()
    for _ in range(4):
        renames.carry_on()
    assert (models_of("a"), models_of("b")) == (["served-by-b"], ["served-by-a"])


def test_calls_that_end_after_the_rename_follow_too(record, patient, provider):
    provider(name="old")
    rename("old", "new")
    later()
    renames.carry_on()
    record(minutes_ago=5, provider="old")
    renames.carry_on()
    assert len(models_of("new")) == 1


def test_calls_of_another_that_took_the_name_stay(record, patient, provider):
    provider(name="old")
    rename("old", "new")
    later()
    provider(name="old")
    record(minutes_ago=0, provider="old")
    renames.carry_on()
    assert len(models_of("old")) == 1


def test_a_long_history_does_not_hold_up_the_flusher(record, monkeypatch, provider):
    monkeypatch.setattr(renames, "PATIENCE_SECONDS", -1)
    provider(name="old")
    for hours in (1, 2, 3):
        record(minutes_ago=60 * hours, provider="old")
    rename("old", "new")
    renames.carry_on()
    assert len(models_of("old")) == 2


def test_a_rename_is_done_with_after_an_hour(patient, provider):
    provider(name="old")
    rename("old", "new")
    ProviderRename.objects.update(at=timezone.now() - timedelta(hours=2))
    renames.carry_on()
    assert not ProviderRename.objects.filter(is_carried=False).exists()


def test_links_to_a_former_name_lead_to_the_provider(logged_in_client, provider):
    provider(name="old")
    rename("old", "new")
    response = logged_in_client.get("/models/old/?tab=usage")
    assert (response.status_code, response["Location"]) == (
        302,
        "/models/new/?tab=usage",
    )
    assert logged_in_client.get("/models/nobody/").status_code == 404
    provider(name="old")
    assert logged_in_client.get("/models/old/").status_code == 200


@pytest.mark.parametrize(
    ("reach", "carried"),
    [
        (["old/*"], ["new/*"]),
        (["old/gpt-4o-mini", "other"], ["new/gpt-4o-mini", "other"]),
        (["older/gpt-4o-mini", "old"], ["older/gpt-4o-mini", "old"]),
        # Both a model of the provider and one of this name elsewhere.
        (["old/both"], ["new/both", "old/both"]),
        (["new/*", "old/*"], ["new/*"]),
        ([], []),
    ],
)
def test_keys_reach_as_far_as_before(provider, reach, carried):
    provider(name="old", models=("gpt-4o-mini", "both"))
    provider(name="router", models=("old/both",))
    agent = Agent.objects.create(name="one")
    WorkspaceKey.issue("key", reach)
    AgentKey.issue(agent, reach)
    rename("old", "new")
    assert WorkspaceKey.objects.get().models == carried
    assert AgentKey.objects.get().models == carried


def test_what_is_kept_of_a_provider_goes_on_under_its_new_name(provider):
    provider(name="old")
    ends_at = timezone.now() + timedelta(hours=1)
    for name in ("old", "other", ""):
        BodyWindow.objects.create(provider=name, ends_at=ends_at)
    rename("old", "new")
    names = BodyWindow.objects.order_by("pk").values_list("provider", flat=True)
    assert list(names) == ["new", "other", ""]

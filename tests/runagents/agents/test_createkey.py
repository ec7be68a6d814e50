"""`createkey` prints a key that works and nothing else."""

import pytest
from django.core.management import CommandError, call_command

from providers import keys
from providers.models import WorkspaceKey
from runagents.agents.models import Agent, AgentKey

pytestmark = pytest.mark.django_db


def createkey(capsys, *arguments):
    call_command("createkey", *arguments)
    return capsys.readouterr()


def test_the_key_stands_alone_on_standard_output(capsys):
    printed = createkey(capsys, "support").out
    key = printed.removesuffix("\n")
    assert keys.is_well_formed(key)
    assert AgentKey.objects.get().digest == keys.digest(key)


def test_an_absent_agent_is_made_with_access_to_all(capsys):
    printed = createkey(capsys, "support")
    assert Agent.objects.get().access == "all"
    assert "Created the agent support" in printed.err


def test_an_existing_agent_keeps_its_access(capsys):
    Agent.objects.create(name="support", access="wired")
    createkey(capsys, "support")
    assert Agent.objects.get().access == "wired"


def test_models_narrow_the_key(capsys, provider):
    provider()
    printed = createkey(capsys, "support", "--models", "gpt-4o-mini, gpt-9")
    assert AgentKey.objects.get().models == ["gpt-4o-mini", "gpt-9"]
    assert "this one only gpt-4o-mini, gpt-9." in printed.err
    assert "No provider serves gpt-9 yet" in printed.err


def test_a_workspace_key_is_for_the_api(capsys):
    key = createkey(capsys, "ci", "--workspace").out.strip()
    assert key.startswith("ra_ws_")
    assert WorkspaceKey.objects.get(name="ci").digest == keys.digest(key)


@pytest.mark.parametrize(
    "arguments",
    [
        ["Not A Name"],
        ["Not A Name", "--workspace"],
        ["local"],
        ["a", "--key-name", "m", "--workspace"],
        ["a", "--key-name", "Not A Name"],
        ["a", "--last-day", "soon"],
        ["a", "--last-day", "2020-01-01", "--workspace"],
    ],
)
def test_a_mistake_is_told_and_changes_nothing(arguments):
    with pytest.raises(CommandError) as caught:
        call_command("createkey", *arguments)
    assert str(caught.value)
    assert not Agent.objects.exists()
    assert not WorkspaceKey.objects.exists()


@pytest.mark.parametrize("kind", [["--workspace"], []])
def test_a_key_has_what_the_consoles_form_decides(capsys, provider, kind):
    provider()
    terms = ["--models", "openai/*,gpt-4o-mini", "--last-day", "2099-12-31", "--paused"]
    printed = createkey(capsys, "ci", *terms, *kind)
    model = WorkspaceKey if kind else AgentKey
    row = model.objects.get(digest=keys.digest(printed.out.strip()))
    assert row.models == ["openai/*", "gpt-4o-mini"]
    assert row.expires_at.isoformat() == "2100-01-01T00:00:00+00:00"
    assert row.paused_at
    assert "yet" not in printed.err


def test_an_agents_key_has_a_name_of_its_own(capsys):
    createkey(capsys, "support", "--key-name", "staging")
    assert AgentKey.objects.get().name == "staging"

"""The registry as code: a file is applied whole or not at all, and holds no secret."""

import io

import pytest
import yaml
from django.core.management import CommandError, call_command

from providers import starter
from providers.api import registry_changes, registry_files
from providers.models import ModelProvider, RegistryVersion, Secret
from runagents.agents.models import Agent, Wire

pytestmark = pytest.mark.django_db

# Its end stands in no id or time by chance.
CANARY = "sk-canary-0123456789uvwxyz"
ENVIRON = {"OPENAI_API_KEY": CANARY}
FILE = """
secrets:
  - name: openai-key
    data: {api_key: {env: OPENAI_API_KEY}}
model_providers:
  - name: openai
    spec:
      provider: openai
      endpoint: https://api.openai.com/v1
      models:
        - gpt-4o
        - {id: fast, upstream_id: gpt-4o-mini, prices: {input: 0.15}}
      auth:
        apiKeyConfig: {secretRef: {name: openai-key}}
      rateLimit: {requestsPerMinute: 60}
  - name: local
    spec:
      provider: ollama
      models: [llama3.2]
"""


def apply(text=FILE, environ=ENVIRON, **options):
    return registry_files.apply(text, environ, **options)


def problems(text, environ=ENVIRON, **options):
    with pytest.raises(registry_changes.RegistryFileError) as caught:
        apply(text, environ, **options)
    return caught.value.problems


def test_a_file_makes_providers_and_secrets():
    changes = apply()
    assert [(c.action, c.kind, c.name) for c in changes] == [
        ("add", "secret", "openai-key"),
        ("add", "model provider", "openai"),
        ("add", "model provider", "local"),
    ]
    openai = ModelProvider.objects.get(name="openai")
    assert openai.credentials() == {"api_key": CANARY}
    assert openai.requests_per_minute == 60
    assert [m.model_id for m in openai.provider_models.all()] == ["gpt-4o", "fast"]
    local = ModelProvider.objects.get(name="local")
    assert (local.endpoint, local.private_network) == ("http://localhost:11434", True)


def test_applying_again_changes_nothing():
    apply()
    ModelProvider.objects.get(name="openai").set_status("available", "ok")
    before = RegistryVersion.current()
    assert apply() == []
    assert RegistryVersion.current() == before
    assert ModelProvider.objects.get(name="openai").status == "available"


def test_what_the_file_no_longer_says_is_reset():
    apply()
    shorter = FILE.replace("      rateLimit: {requestsPerMinute: 60}\n", "").replace(
        ", prices: {input: 0.15}", ""
    )
    (change,) = apply(shorter)
    assert (change.action, change.name) == ("change", "openai")
    assert change.fields["rateLimit.requestsPerMinute"] == (60, None)
    assert set(change.fields) == {"rateLimit.requestsPerMinute", "models"}


def test_a_dry_run_tells_and_stores_nothing():
    before = RegistryVersion.current()
    assert len(apply(dry_run=True)) == 3
    assert not ModelProvider.objects.exists()
    assert not Secret.objects.exists()
    assert RegistryVersion.current() == before


def test_one_problem_undoes_everything_and_all_are_listed():
    bad = FILE.replace("provider: ollama", "provider: gemini").replace(
        "requestsPerMinute: 60", "requestsPerMinute: many"
    )
    found = problems(bad)
    assert any("model_providers[0].spec.rateLimit.requ" in p for p in found)
    assert any("model_providers[1].spec.provider" in p for p in found)
    assert not Secret.objects.exists()
    assert not ModelProvider.objects.exists()


def test_a_missing_variable_is_named():
    found = problems(FILE, {})
    assert len(found) == 1
    assert found[0].startswith("secrets[0].data.api_key: the variable OPENAI_API_KEY")


@pytest.mark.parametrize("data", [CANARY, {"api_key": CANARY}, {}, {"api_key": {}}])
def test_a_secret_written_out_is_refused_without_repeating_it(data):
    text = yaml.safe_dump({"secrets": [{"name": "s", "data": data}]})
    found = problems(text)
    assert found[0].startswith("secrets[0].data")
    assert CANARY not in "".join(found)


def test_a_stored_secret_is_left_alone_without_a_reference():
    apply()
    kept = FILE.replace("data: {api_key: {env: OPENAI_API_KEY}}", "secret_set: true")
    assert apply(kept, {}) == []
    openai = ModelProvider.objects.get(name="openai")
    assert openai.credentials() == {"api_key": CANARY}


def test_a_reference_enters_a_new_value():
    apply()
    (change,) = apply(environ={"OPENAI_API_KEY": "sk-rotated-0123456789"})
    assert change.fields == {"values": (None, "entered again")}
    openai = ModelProvider.objects.get(name="openai")
    assert openai.credentials() == {"api_key": "sk-rotated-0123456789"}


def test_a_secret_that_is_not_stored_here_asks_for_its_value():
    kept = FILE.replace("data: {api_key: {env: OPENAI_API_KEY}}", "secret_set: true")
    found = problems(kept)
    assert found[0].startswith("secrets[0].data: openai-key is not stored here")


@pytest.mark.proves("4.2")
def test_another_host_needs_the_value_again():
    apply()
    moved = FILE.replace("api.openai.com/v1", "llm.example.com")
    kept = moved.replace("data: {api_key: {env: OPENAI_API_KEY}}", "secret_set: true")
    assert "Enter the API key again" in problems(kept)[0]
    apply(moved)
    openai = ModelProvider.objects.get(name="openai")
    assert openai.credentials() == {"api_key": CANARY}


def test_other_origins_need_the_value_again():
    apply()
    kept = FILE.replace(
        "data: {api_key: {env: OPENAI_API_KEY}}", "origins: [https://evil.example.com]"
    )
    assert problems(kept)[0].startswith("secrets[0].origins")


def test_prune_removes_what_the_file_does_not_name(provider):
    provider("old")
    kept = [(c.action, c.name) for c in apply()]
    assert ("remove", "old") not in kept
    changes = [(c.action, c.name) for c in apply(prune=True)]
    assert changes == [("remove", "old"), ("remove", "old-secret")]


def test_prune_does_not_remove_a_wired_provider(provider):
    agent = Agent.objects.create(name="support")
    Wire.objects.create(agent=agent, provider=provider("old"), model_id="gpt-4o-mini")
    assert "wired to support" in problems(FILE, prune=True)[0]
    assert ModelProvider.objects.count() == 1


def test_the_playground_is_neither_exported_nor_pruned(settings):
    settings.PLAYGROUND_LLM_API_KEY = ""
    starter.add_playground_llm()
    assert "playground-llm" not in registry_files.export()
    apply(prune=True)
    assert ModelProvider.objects.filter(name="playground-llm").exists()


def test_an_export_applies_without_changes():
    apply()
    assert apply(registry_files.export(), {}) == []


def test_an_export_applies_to_an_empty_registry():
    apply()
    exported = yaml.safe_load(registry_files.export())
    before = exported["model_providers"]
    ModelProvider.objects.all().delete()
    Secret.objects.all().delete()
    del exported["secrets"][0]["secret_set"]
    exported["secrets"][0]["data"] = {"api_key": {"env": "OPENAI_API_KEY"}}
    apply(yaml.safe_dump(exported))
    assert yaml.safe_load(registry_files.export())["model_providers"] == before


@pytest.mark.proves("4.7")
def test_an_export_holds_no_secret():
    apply()
    text = registry_files.export()
    assert CANARY not in text
    assert CANARY[-4:] not in text
    assert yaml.safe_load(text)["secrets"][0]["secret_set"] is True


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must hold secrets and model_providers"),
        ("a: [", "not valid YAML"),
        ("providers: []", "providers: is not a section"),
        ("secrets: 5", "secrets: must be a list"),
        ("model_providers: [5]", "model_providers[0].The model provider must"),
        ("secrets: [5]", "secrets[0].must be an object"),
        ("secrets: [{name: s, value: v}]", "secrets[0].value: is not a field"),
        ("!!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_a_file_of_the_wrong_shape_is_explained(text, words):
    assert words in problems(text)[0]


def test_a_name_that_stands_twice_is_refused():
    twice = "model_providers: [{name: a, spec: {}}, {name: a, spec: {}}]"
    assert "model_providers[1].name: a stands twice." in problems(twice)


# --- the command ---


def run(*arguments):
    out = io.StringIO()
    call_command("providers", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    path = tmp_path / "registry.yaml"
    path.write_text(FILE)
    return path


def test_the_command_shows_what_it_does(file):
    shown = run("apply", str(file))
    assert "+ model provider openai" in shown
    assert "    + rateLimit.requestsPerMinute: 60" in shown
    assert shown.endswith("3 added, 0 changed, 0 removed.\n")
    assert CANARY not in shown
    assert run("apply", str(file)) == "Nothing to change.\n"


def test_the_command_shows_a_difference(file):
    run("apply", str(file))
    file.write_text(FILE.replace("requestsPerMinute: 60", "requestsPerMinute: 90"))
    shown = run("apply", str(file), "--dry-run")
    assert "    ~ rateLimit.requestsPerMinute: 60 -> 90" in shown
    assert "Nothing was changed (--dry-run)." in shown
    assert ModelProvider.objects.get(name="openai").requests_per_minute == 60


def test_the_command_lists_every_problem(file):
    file.write_text("secrets: [{name: s}]\nmodel_providers: [{name: a, spec: {}}]")
    with pytest.raises(CommandError) as caught:
        run("apply", str(file))
    assert str(caught.value).startswith("4 problems, nothing was changed:")
    assert caught.value.returncode == 1


def test_the_command_says_when_a_file_cannot_be_read(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        run("apply", str(tmp_path / "missing.yaml"))


def test_the_command_reads_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("secrets: []"))
    assert run("apply", "-") == "Nothing to change.\n"


def test_the_command_exports(file):
    run("apply", str(file))
    assert yaml.safe_load(run("export"))["model_providers"][1]["name"] == "openai"


def test_an_alias_is_refused_before_it_is_followed(db):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 12):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]")
    with pytest.raises(registry_changes.RegistryFileError) as caught:
        registry_files.apply("\n".join(lines), {})
    assert "alias" in caught.value.problems[0]

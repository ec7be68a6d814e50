"""Every client's recipe holds the real address, the model and the key."""

import ast
import json
import re
import shlex
import tomllib

import pytest
import yaml

from gateway.doors import NAMES
from runagents.connect.recipes import GROUPS, RECIPES

BASE, KEY = "https://gateway.example", "ra_ag_abc"
# What an id may hold at the worst: it must stay an id in every language.
AWKWARD = """o'brien/"x" $HOME ü:1"""


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_holds_address_model_and_key(name):
    text = RECIPES[name].text(BASE, "gpt-4o", KEY)
    assert BASE in text
    assert "gpt-4o" in text
    assert KEY in text
    assert not re.search(r"\$(base|key|model|name)\b", text)


@pytest.mark.parametrize("name", RECIPES)
def test_without_a_key_something_stands_for_it(name):
    text = RECIPES[name].text(BASE, "gpt-4o")
    assert "platform-managed" in text or "YOUR_AGENT_KEY" in text


PYTHON = (
    "python",
    "openai-python",
    "anthropic-python",
    "agents-sdk",
    "langchain",
    "pydantic-ai",
    "litellm",
    "ollama-python",
    "embeddings-openai",
    "embeddings-langchain",
)


@pytest.mark.parametrize("name", PYTHON)
def test_python_stays_python(name):
    tree = ast.parse(RECIPES[name].text(BASE, AWKWARD, KEY))
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    assert RECIPES[name].prefix + AWKWARD in texts


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("opencode", "@ai-sdk/openai-compatible"),
        ("opencode-responses", "@ai-sdk/openai"),
        ("opencode-messages", "@ai-sdk/anthropic"),
    ],
)
def test_configuration_stays_configuration(name, package):
    opencode = json.loads(RECIPES[name].text(BASE, AWKWARD, KEY))
    assert opencode["provider"]["runagents"]["npm"] == package
    assert opencode["model"] == f"runagents/{AWKWARD}"
    assert list(opencode["provider"]["runagents"]["models"]) == [AWKWARD]
    assert opencode["$schema"] == "https://opencode.ai/config.json"
    (model,) = yaml.safe_load(RECIPES["continue"].text(BASE, AWKWARD, KEY))["models"]
    assert (model["model"], model["apiBase"]) == (AWKWARD, f"{BASE}/v1")


def test_codex_asks_for_responses_with_the_key():
    codex = tomllib.loads(RECIPES["codex"].text(BASE, AWKWARD, KEY))
    assert codex["model"] == AWKWARD
    ours = codex["model_providers"][codex["model_provider"]]
    assert (ours["base_url"], ours["wire_api"]) == (f"{BASE}/v1", "responses")
    assert ours["experimental_bearer_token"] == KEY


def test_shell_stays_shell():
    last = RECIPES["aider"].text(BASE, AWKWARD, KEY).splitlines()[-1]
    assert shlex.split(last) == ["aider", "--model", f"openai/{AWKWARD}"]


def test_claude_code_asks_for_one_model_with_the_key_as_a_token():
    lines = RECIPES["claude-code"].text(BASE, AWKWARD, KEY).splitlines()
    exports = [shlex.split(each)[1] for each in lines if each.startswith("export")]
    assert dict(each.split("=", 1) for each in exports) == {
        "ANTHROPIC_BASE_URL": BASE,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "ANTHROPIC_MODEL": AWKWARD,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": AWKWARD,
    }


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_calls_at_a_door_that_there_is(name):
    recipe = RECIPES[name]
    assert recipe.door in NAMES
    text = recipe.text(BASE, "m", KEY)
    # These clients add the version to the base URL themselves.
    adds_version = recipe.door in ("messages", "ollama") and "opencode" not in name
    assert (f"{BASE}/v1" in text) != adds_version


def test_every_recipe_stands_in_a_group_that_is_shown():
    assert {recipe.group for recipe in RECIPES.values()} == set(GROUPS)

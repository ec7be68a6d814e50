"""Every client's recipe holds the real address, the model and the key."""

import ast
import json
import re
import shlex
import tomllib

import pytest
import yaml

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


@pytest.mark.parametrize("name", ["python", "openai-python", "langchain", "litellm"])
def test_python_stays_python(name):
    tree = ast.parse(RECIPES[name].text(BASE, AWKWARD, KEY))
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    assert RECIPES[name].prefix + AWKWARD in texts


def test_configuration_stays_configuration():
    opencode = json.loads(RECIPES["opencode"].text(BASE, AWKWARD, KEY))
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


def test_every_recipe_stands_in_a_group_that_is_shown():
    assert {recipe.group for recipe in RECIPES.values()} == set(GROUPS)

"""Code to copy runs as it stands, whatever a model is called."""

import ast
import json
import shlex

import pytest

from providers import snippets
from providers.models import ModelProvider

BASE = "https://gateway.example"


@pytest.mark.parametrize("model", ["gpt-4o", "it's", 'a"b', "$(id)", "a\\b"])
def test_curl_sends_the_model_as_it_is(model):
    text = snippets.examples(BASE, model)["curl"].replace("\\\n", " ")
    words = shlex.split(text)
    assert words[:2] == ["curl", f"{BASE}/v1/chat/completions"]
    assert json.loads(words[-1])["model"] == model


@pytest.mark.parametrize("name", ["python", "sdk"])
@pytest.mark.parametrize("model", ["gpt-4o", "it's", 'a"b', "a\\b"])
def test_python_parses_and_holds_the_model(name, model):
    tree = ast.parse(snippets.examples(BASE, model)[name])
    constants = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    assert model in constants


def test_a_check_as_curl_leaves_the_key_to_the_shell():
    provider = ModelProvider(header_name="x-key", value_prefix="$(id) ")
    text = snippets.check_curl(provider, "GET https://a.example/v1/models")
    assert text == (
        "curl -sS -i https://a.example/v1/models -H 'x-key: $(id) '\"$API_KEY\""
    )


def test_a_signed_check_has_no_curl():
    provider = ModelProvider(auth_type="aws_sigv4")
    assert snippets.check_curl(provider, "GET https://a.example/") == ""

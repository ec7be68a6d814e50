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


LONG = {
    "model": "openai/gpt-4o",
    "messages": [
        {"role": "system", "content": 'Be "brief"\nand kind; it\'s $HOME é'},
        {"role": "user", "content": "why? " * 30},
    ],
    "temperature": 0.5,
    "max_tokens": 5,
}


def test_a_long_request_is_the_same_as_curl_python_and_sdk():
    found = snippets.of_request(BASE, LONG)
    words = shlex.split(found["curl"].replace("\\\n", " "))
    assert json.loads(words[-1]) == LONG
    assigned = ast.parse(found["python"]).body[2]
    assert ast.literal_eval(assigned.value) == LONG
    call = ast.parse(found["sdk"]).body[2].value
    assert {k.arg: ast.literal_eval(k.value) for k in call.keywords} == LONG


def test_a_first_call_stands_on_few_lines():
    found = snippets.examples(BASE, "gpt-4o")
    assert len(found["curl"].splitlines()) == 4
    assert '\n    messages=[{"role": "user", "content": "Hello"}],\n' in found["sdk"]


def test_a_first_call_works_as_it_stands_where_no_key_is_needed():
    found = snippets.examples(BASE, "gpt-4o")
    assert "Bearer platform-managed" in found["curl"]
    assert "on this machine it also works as it stands" in found["note"]


@pytest.mark.parametrize(
    "changed", [{"GATEWAY_TRUSTED_NETWORKS": []}, {"PUBLIC_URL": BASE}]
)
def test_a_first_call_leaves_room_for_a_key_where_one_is_needed(settings, changed):
    for name, value in changed.items():
        setattr(settings, name, value)
    found = snippets.examples(BASE, "gpt-4o")
    assert "Bearer YOUR_AGENT_KEY" in found["curl"]
    assert "this machine" not in found["note"]


def test_a_key_of_ones_own_needs_no_note():
    assert snippets.examples(BASE, "gpt-4o", "ra_ag_x")["note"] == ""

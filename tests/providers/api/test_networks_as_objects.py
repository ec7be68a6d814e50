"""A provider's proxy and certificates over the HTTP API and in registry files."""

import json

import pytest

from providers.api import registry_files
from providers.api.registry_changes import RegistryFileError
from providers.models import ModelProvider, Secret, WorkspaceKey
from providers.network import ways
from tests.certified import Authority

pytestmark = pytest.mark.django_db

AUTHORITY = Authority()
OWN = AUTHORITY.sign("gateway")
PROXY = "http://proxy.example:3128"
SECRET = {"proxy_user": "agents", "proxy_password": "proxy-pass-0123456789"}


@pytest.fixture
def api(client):
    """Posts JSON to the API; returns the status and the answer."""
    key = WorkspaceKey.issue("ci", [], None).plaintext

    def post(path, body):
        response = client.post(
            f"/api/v1/{path}",
            json.dumps(body),
            content_type="application/json",
            headers={"X-RunAgents-API-Key": key},
        )
        return response.status_code, response.json()

    return post


def provider(**options):
    spec = {
        "provider": "openai",
        "endpoint": "https://llm.example.com",
        "models": ["gpt-4o"],
        "auth": {"type": "None"},
        "options": options,
    }
    return {"name": "walled", "spec": spec}


def test_a_provider_names_its_secret(api):
    values = {**SECRET, "client_key": OWN.key}
    assert api("secrets", {"name": "net", "data": values})[0] == 201
    options = {
        "proxy": PROXY,
        "ca_certificates": AUTHORITY.pem,
        "client_certificate": OWN.certificate,
        "network_secret": "net",
    }
    status, answer = api("model-providers", provider(**options))
    assert status == 201, answer
    told = answer["spec"]["options"]
    assert {name: told[name] for name in options} == options
    way = ways.of(ModelProvider.objects.get())()
    assert (way.proxy.host, way.key.strip()) == ("proxy.example", OWN.key.strip())
    assert SECRET["proxy_password"] not in json.dumps(answer)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"proxy": "http://u:p@proxy.example:1"}, "belong into a secret"),
        ({"proxy": 5}, "must be text"),
        ({"proxy": ["http://p:1"]}, "must be text"),
        ({"ca_certificates": {"a": 1}}, "must be text"),
        ({"client_certificate": OWN.certificate}, "options.network_secret"),
        ({"network_secret": "gone", "proxy": PROXY}, "no secret named"),
        ({"network_secret": 5}, "must be the name"),
    ],
)
def test_what_is_wrong_is_told_by_its_path(api, options, told):
    status, answer = api("model-providers", provider(**options))
    assert status == 400
    assert told in answer["error"]
    assert not ModelProvider.objects.exists()


def test_a_secret_of_another_proxy_is_not_sent_to_this_one(api):
    data = {"name": "net", "data": SECRET, "origins": ["http://other.example:3128"]}
    assert api("secrets", data)[0] == 201
    named = provider(proxy=PROXY, network_secret="net")
    status, answer = api("model-providers", named)
    assert status == 400
    assert "again" in answer["error"]


FILE = """
secrets:
  - name: net
    data: {proxy_user: {env: PROXY_USER}, proxy_password: {env: PROXY_PASSWORD}}
model_providers:
  - name: walled
    spec:
      provider: openai
      endpoint: https://llm.example.com
      models: [gpt-4o]
      auth: {type: None}
      options: {proxy: "http://proxy.example:3128", network_secret: net}
"""
ENVIRON = {"PROXY_USER": "agents", "PROXY_PASSWORD": SECRET["proxy_password"]}


def test_a_file_enters_it_from_the_environment_and_is_exported_without():
    registry_files.apply(FILE, ENVIRON)
    row = ModelProvider.objects.get()
    assert ways.of(row)().proxy.authorization
    text = registry_files.export()
    assert "network_secret: net" in text
    assert SECRET["proxy_password"] not in text
    # What was exported changes nothing.
    assert registry_files.apply(text, {}) == []


def test_a_used_secret_is_not_pruned():
    registry_files.apply(FILE, ENVIRON)
    registry_files.apply(registry_files.export(), {}, prune=True)
    assert Secret.objects.get().networks.exists()


def test_an_operators_file_changes_no_network():
    Secret(name="net").save()
    kept = FILE.replace(", network_secret: net", "").partition("model_providers")[2]
    text = f"model_providers{kept}"
    with pytest.raises(RegistryFileError, match="Only an administrator"):
        registry_files.apply(text, {}, by_administrator=False)

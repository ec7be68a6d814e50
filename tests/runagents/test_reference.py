"""The reference of the API holds everything that there is to call."""

import json
import re

import pytest
from django.urls import get_resolver

from gateway.entry import routes
from providers.models import WorkspaceKey
from runagents import __version__
from runagents.reference.document import GATEWAY, document

# An upstream of its own, which no program of somebody's asks.
NOT_FOR_PROGRAMS = r"/sandbox/"
# Answered with the path to ask instead.
FORMER = {"/api/generate", "/api/embeddings"}
NAMED = {"provider": "p", "model": "m", "response": "resp_1"}
OURS = [call for call in GATEWAY if not call.path.startswith("/api/")]


def _api_routes():
    """Return the routes below /api/v1, but for the one that answers all others."""
    found = set()

    def walk(resolver, before):
        for each in resolver.url_patterns:
            path = before + str(each.pattern)
            if hasattr(each, "url_patterns"):
                walk(each, path)
            else:
                found.add(path)

    walk(get_resolver(), "")
    return {path for path in found if path.startswith("api/v1/")} - {"api/v1/"}


NAMED = {"provider": "p", "model": "m", "response": "resp_1"}


def test_every_route_of_the_registry_is_in_the_document():
    named = {re.sub(r"{\w+}", "*", path) for path in document("")["paths"]}
    routed = {"/" + re.sub(r"<[^>]+>", "*", path) for path in _api_routes()}
    assert len(routed) > 10
    assert routed <= named


@pytest.mark.parametrize(
    "endpoint",
    [
        each
        for each in routes.ENDPOINTS
        if NOT_FOR_PROGRAMS not in each.pattern.pattern
        and each.pattern.pattern not in FORMER
    ],
    ids=lambda endpoint: endpoint.pattern.pattern,
)
def test_every_kind_of_path_of_the_gateway_is_in_the_document(endpoint):
    # `/models` is `/v1/models` where a base URL lacks its `/v1`.
    paths = [call.path.format(**NAMED) for call in GATEWAY]
    paths += [path.removeprefix("/v1") for path in paths]
    assert any(endpoint.pattern.fullmatch(path) for path in paths)


@pytest.mark.parametrize("call", OURS, ids=lambda call: call.path)
def test_the_document_promises_no_path_of_the_gateway_that_is_not_there(call):
    found = routes.match(call.path.format(**NAMED))
    assert found
    assert call.method in found[0].methods
    assert found[0].is_public == call.is_public


def test_the_document_is_whole():
    told = document("https://gateway.example.com")
    calls = [call for methods in told["paths"].values() for call in methods.values()]
    names = [call["operationId"] for call in calls]
    assert len(names) == len(set(names))
    assert all(call["summary"].endswith(".") for call in calls)
    assert told["servers"] == [{"url": "https://gateway.example.com"}]
    assert told["info"]["version"] == __version__
    for path, methods in told["paths"].items():
        for call in methods.values():
            named = {each["name"] for each in call.get("parameters", [])}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_the_document_is_for_a_workspaces_key_and_for_who_is_signed_in(
    client, logged_in_client
):
    key = WorkspaceKey.issue("ci").plaintext
    for told in (
        client.get("/api/v1/openapi.json", headers={"Authorization": f"Bearer {key}"}),
        logged_in_client.get("/reference/openapi.json"),
    ):
        assert "/api/v1/model-providers" in json.loads(told.content)["paths"]
    assert client.get("/reference/").status_code == 302
    page = logged_in_client.get("/reference/").content.decode()
    assert "/api/v1/agents/{name}/config" in page
    assert f"(version {__version__})" in page

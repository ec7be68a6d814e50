"""Every route asks who is there, except those that must not."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from gateway.entry.routes import ENDPOINTS
from providers.models import WorkspaceKey
from runagents.agents.models import Agent, AgentKey

# Nobody is logged in yet where one logs in or sets up; the theme is a cookie.
PUBLIC_PAGES = {"login", "set-up", "theme", "logout", "admin-login", "join"}
# Whether it is alive is no secret. The sandbox asks for a key of its own.
# The last asks for a token of its own (tests/e2e/test_metrics.py).
PUBLIC_PATHS = ("/healthz", "/v1/healthz", "/readyz", "/api/hello", "/metrics")
SANDBOX = "/sandbox/"
METRICS = "/metrics"
PARAMETER = re.compile(r"<(?:(\w+):)?\w+>")


def _routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name and a path of every route, its parameters filled in."""
    for pattern in resolver.url_patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield pattern.name or route, route


def _path_of(route: str) -> str:
    """Return a path that the route matches."""
    route = route.replace("(?P<url>.*)", "x")
    path = PARAMETER.sub(lambda found: "1" if found[1] == "int" else "x", route)
    return "/" + path.replace("^", "").replace("$", "")


CONSOLE = sorted(set(_routes(get_resolver())))
GUARDED = [route for name, route in CONSOLE if name not in PUBLIC_PAGES]


@pytest.mark.parametrize("route", GUARDED)
def test_no_page_opens_without_a_session(db, route):
    path = _path_of(route)
    assert get_resolver().resolve(path)
    for method in ("get", "post"):
        response = getattr(Client(), method)(path)
        if route.startswith("api/"):
            assert response.status_code == 401, path
        elif response.status_code == 302:
            assert "/login/" in response.headers["location"], path
        else:
            assert response.status_code in {401, 403, 405}, path


def test_every_public_page_is_a_page():
    assert {name for name, _ in CONSOLE} >= PUBLIC_PAGES


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.pattern.pattern)
def test_no_route_of_the_gateway_opens_without_a_key(endpoint):
    is_health = any(endpoint.pattern.fullmatch(path) for path in PUBLIC_PATHS)
    is_sandbox = endpoint.pattern.pattern.startswith(SANDBOX)
    assert endpoint.is_public == (is_health or is_sandbox)


def test_metrics_are_told_to_who_has_the_token(gateway, settings):
    settings.METRICS_TOKEN = "tok-" + "x" * 20
    client = gateway()
    assert client.get(METRICS).status_code == 401
    wrong = {"authorization": f"Bearer {settings.METRICS_TOKEN[:-1]}"}
    assert client.get(METRICS, headers=wrong).status_code == 401


@pytest.mark.parametrize(("on_loopback", "has_proxy"), [(False, False), (True, True)])
def test_metrics_without_token_are_told_to_nobody_where_others_reach(
    gateway, settings, on_loopback, has_proxy
):
    settings.METRICS_TOKEN = ""
    settings.LISTENS_ON_LOOPBACK = on_loopback
    settings.IS_BEHIND_PROXY = has_proxy
    assert gateway().get(METRICS).status_code == 401


def test_a_session_opens_nothing_of_the_gateway(
    gateway, logged_in_client, settings, provider
):
    settings.GATEWAY_TRUSTED_NETWORKS = []
    provider()
    cookies = "; ".join(f"{k}={v.value}" for k, v in logged_in_client.cookies.items())
    client = gateway(headers={"cookie": cookies})
    assert client.get("/v1/models").status_code == 401
    assert client.get("/models").status_code == 401
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
    for path in ("/v1/chat/completions", "/tools/echo-tool/echo"):
        assert client.post(path, json=body).status_code == 401


def test_a_key_opens_nothing_of_the_console(db):
    agent = Agent.objects.create(name="agent")
    keys = [AgentKey.issue(agent).plaintext, WorkspaceKey.issue("ci").plaintext]
    for key in keys:
        for name, value in (
            ("Authorization", f"Bearer {key}"),
            ("X-Api-Key", key),
            ("X-RunAgents-API-Key", key),
        ):
            response = Client(headers={name: value}).get("/models/")
            assert response.status_code == 302
            assert "/login/" in response.headers["location"]


def test_an_agents_key_opens_nothing_of_the_http_api(db):
    agent = Agent.objects.create(name="agent")
    key = AgentKey.issue(agent).plaintext
    response = Client(headers={"X-RunAgents-API-Key": key}).get(
        "/api/v1/model-providers"
    )
    assert response.status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        {"host": "rebound.example"},
        {"x-forwarded-for": "203.0.113.7"},
        {"origin": "https://page.example"},
    ],
    ids=lambda header: next(iter(header)),
)
def test_metrics_without_token_are_told_to_programs_of_this_machine(
    gateway, settings, header
):
    settings.METRICS_TOKEN = ""
    settings.LISTENS_ON_LOOPBACK = True
    settings.IS_BEHIND_PROXY = False
    assert gateway().get(METRICS).status_code == 200
    assert gateway().get(METRICS, headers=header).status_code == 401

"""Pages leave out what their reader would be refused."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import Resolver404, resolve, reverse

from gateway.models import CallBody
from providers.models import WorkspaceKey
from providers.roles import Role, give
from runagents.accounts import access
from runagents.agents import registration
from runagents.agents.models import AgentKey, Draft

pytestmark = pytest.mark.django_db


class Ways(HTMLParser):
    """Collects what a page offers to do: (method, path)."""

    def __init__(self, page, own):
        super().__init__()
        self.found = set()
        self.own = own
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Take links, forms and what htmx sends."""
        values = dict(attrs)
        if tag == "a":
            self._add("GET", values.get("href"))
        if tag == "form":
            self._add(values.get("method", "get").upper(), values.get("action", "?"))
        self._add("GET", values.get("hx-get"))
        self._add("POST", values.get("hx-post"))
        self._add("POST", values.get("formaction"))

    def _add(self, method, address):
        if address is None or address.startswith(("#", "data:", "http")):
            return
        self.found.add((method, urlsplit(address).path or self.own))


@pytest.fixture
def pages(provider, record):
    """Pages of everything that there is to see, with something on each."""
    row = provider(models=("gpt-4o-mini",))
    agent = registration.deploy_hello_world()
    AgentKey.issue(agent)
    WorkspaceKey.issue("ci")
    Draft.objects.create(name="half")
    call = record()
    CallBody.objects.create(
        call_id=call.call_id, asked="{}", sent="{}", stored_at=call.started_at
    )
    paths = [
        reverse(name)
        for name in access.PAGES
        if name.endswith("-list") or name in ("dashboard", "usage", "playground")
    ]
    return [
        *paths,
        reverse("audit-log"),
        reverse("gateway-settings"),
        reverse("agent-detail", args=[agent.name]),
        reverse("provider-detail", args=[row.name]),
        reverse("provider-detail", args=[row.name]) + "?tab=models",
        reverse("provider-row", args=[row.name]),
        reverse("request-detail", args=[call.call_id]),
    ]


def client_as(role):
    user = User(username=role.name.lower())
    give(user, role)
    user.save()
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", Role, ids=str)
def test_no_page_offers_what_its_reader_would_be_refused(role, pages):
    client = client_as(role)
    seen = 0
    for path in pages:
        response = client.get(path)
        if response.status_code == 403:
            continue
        assert response.status_code == 200, path
        for method, way in Ways(response.content.decode(), path).found:
            try:
                needed = access.required(resolve(way), method)
            except Resolver404:
                continue
            seen += 1
            assert needed is None or role >= needed, f"{path} offers {method} {way}"
    assert seen > 50


@pytest.mark.parametrize("role", Role, ids=str)
def test_empty_pages_offer_nothing_that_would_be_refused(role, db):
    client = client_as(role)
    for name in ("dashboard", "agent-list", "provider-list", "request-list", "usage"):
        page = client.get(reverse(name)).content.decode()
        for method, way in Ways(page, reverse(name)).found:
            needed = access.required(resolve(way), method)
            assert needed is None or role >= needed, f"{name} offers {method} {way}"


def test_bodies_of_requests_are_for_operators(record):
    call = record()
    CallBody.objects.create(
        call_id=call.call_id,
        asked='{"x": "my prompt"}',
        sent="{}",
        stored_at=call.started_at,
    )
    url = reverse("request-detail", args=[call.call_id])
    assert "my prompt" in client_as(Role.OPERATOR).get(url).content.decode()
    assert "my prompt" not in client_as(Role.VIEWER).get(url).content.decode()

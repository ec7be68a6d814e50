"""Every address of the console, each method, each role: who gets in, who does not."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver, resolve
from django.urls.resolvers import RoutePattern, URLPattern, URLResolver

from providers import attempts
from providers.roles import Role, give, role_of
from runagents.accounts import access
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

VALUES = {
    "name": "nothing",
    "pk": "1",
    "call_id": "nothing",
    "kind": "nothing",
    "key_id": "1",
    "object_id": "1",
    "url": "x",
    "content_type_id": "1",
    "app_label": "providers",
    "token": "nothing",
    "role": "nothing",
}
READ, WRITE = ("GET", "HEAD"), ("POST", "PUT", "PATCH", "DELETE")


def _patterns(resolver=None):
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            yield from _patterns(each)
        else:
            yield each


def _paths(resolver=None, before=""):
    """Yield an address for every pattern there is."""
    resolver = resolver or get_resolver()
    for each in resolver.url_patterns:
        assert isinstance(each, URLPattern | URLResolver)
        pattern = each.pattern
        if isinstance(each, URLResolver):
            yield from _paths(each, before + _filled(pattern))
        else:
            yield "/" + before + _filled(pattern)


def _filled(pattern):
    if not isinstance(pattern, RoutePattern):
        # Regular expressions: what catches all else, and the admin's applications.
        return "providers/" if pattern.regex.groups else "nowhere"
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES[found[1]], str(pattern))


PATHS = sorted(set(_paths()))
ROLES = [None, *Role]


def _client(role):
    client = Client()
    if role is not None:
        user = User(username=f"some-{role.name.lower()}")
        give(user, role)
        user.save()
        client.force_login(user)
    return client


def test_the_table_is_as_long_as_the_addresses_are_many():
    assert len(PATHS) > 80
    assert "/models/nothing/edit/" in PATHS
    assert "/admin/providers/secret/add/" in PATHS
    assert "/api/v1/secrets/nothing" in PATHS


@pytest.mark.proves("2.4")
@at_once("path", PATHS)
def test_every_address_declares_its_roles(path):
    match = resolve(path)
    assert access.is_declared(match), (
        f"{path} ({match.view_name}) is for administrators until "
        "runagents/accounts/access.py says for whom it is."
    )


def test_the_table_names_no_address_that_is_gone():
    names = {pattern.name for pattern in _patterns()}
    assert set(access.PAGES) <= names


@pytest.mark.proves("2.4")
@pytest.mark.parametrize("role", ROLES, ids=str)
def test_each_role_gets_in_where_the_table_says_and_nowhere_else(role, monkeypatch):
    # What is asked for without a key is more than a minute's allowance.
    monkeypatch.setattr(attempts.wrong_keys, "_limit", 100_000)
    client = _client(role)
    client.raise_request_exception = False
    for path in PATHS:
        match = resolve(path)
        declared = access.PAGES.get(match.view_name, access._ADMINISTRATORS)
        for method in (*READ, *WRITE):
            response = client.generic(method, path)
            told = f"{method} {path} as {role}: {response.status_code}"
            if path.startswith("/api/"):
                assert response.status_code == 401, told
                continue
            needed = declared.read if method in READ else declared.write
            if needed is None or (role is not None and role >= needed):
                # The admin has pages on which nothing is changed by anybody.
                said = b"" if response.streaming else response.content
                assert b"This needs the role" not in said, told
                assert not _asks_to_sign_in(response, path), told
            elif role is None:
                assert _asks_to_sign_in(response, path), told
            else:
                assert response.status_code == 403, told
            if "/logout/" in path and role is not None:
                client.force_login(User.objects.get())


def _asks_to_sign_in(response, path):
    return response.status_code == 302 and response["Location"].startswith(
        f"/login/?next={path}"
    )


def test_roles_come_from_djangos_own_marks():
    assert role_of(User(is_superuser=True)) == Role.ADMINISTRATOR
    assert role_of(User(is_staff=True)) == Role.OPERATOR
    assert role_of(User()) == Role.VIEWER
    assert role_of(User(is_superuser=True, is_active=False)) is None


def test_a_refusal_says_what_is_needed_and_who_asks():
    response = _client(Role.VIEWER).get("/models/new/")
    page = response.content.decode()
    assert response.status_code == 403
    assert "This needs the role Operator." in page
    assert "some-viewer, Viewer" in page


def test_the_admin_refuses_with_a_page_instead_of_going_round():
    client = _client(Role.OPERATOR)
    assert client.get("/admin/").status_code == 403
    response = client.get("/admin/login/?next=/admin/", follow=True)
    assert response.status_code == 403
    assert "This needs the role Administrator." in response.content.decode()


def test_a_part_of_a_page_from_before_is_answered_by_a_reload():
    client = _client(Role.VIEWER)
    response = client.post("/models/nothing/check/", headers={"HX-Request": "true"})
    assert response.status_code == 403
    assert response["HX-Refresh"] == "true"

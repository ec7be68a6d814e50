"""Pages for what went wrong: plain words, the console's look, nothing of the inside."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from django.db import OperationalError, connection
from django.http import Http404
from django.test import Client, RequestFactory

from providers.models import WorkspaceKey
from runagents.error_views import server_error


def test_an_unknown_address_has_a_page(logged_in_client, db):
    response = logged_in_client.get("/nowhere/")
    assert response.status_code == 404
    assert "Nothing is here" in response.content.decode()


def test_a_missing_token_says_that_nothing_changed(administrator):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/login/", {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "Nothing was changed." in response.content.decode()


def test_an_error_shows_nothing_of_the_inside():
    try:
        raise Http404("sk-secret")
    except Http404:
        response = server_error(RequestFactory().get("/"))
    page = response.content.decode()
    assert "Something went wrong here" in page
    assert "sk-secret" not in page


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_error_pages_follow_the_theme(logged_in_client, db, theme):
    logged_in_client.cookies["theme"] = theme
    page = logged_in_client.get("/nowhere/").content.decode()
    assert f'data-theme="{theme}"' in page


@contextmanager
def database_away(cause: BaseException | None = None) -> Iterator[None]:
    """A database that fails every statement, as a server that went away does."""

    def refuse(*args: Any) -> NoReturn:
        raise OperationalError("connection to 10.1.2.3 failed: SELECT 1") from cause

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def steady_client(logged_in_client):
    """A client that gets the answer to a failed request instead of the failure."""
    logged_in_client.raise_request_exception = False
    return logged_in_client


PAGES = ["/", "/models/", "/playground/", "/usage/", "/requests/", "/admin/", "/login/"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_say_that_the_database_is_away_and_come_back(steady_client, path):
    before = steady_client.get(path).status_code
    with database_away():
        response = steady_client.get(path)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    page = response.content.decode()
    assert "The database cannot be reached" in page
    assert f'href="{path}"' in page
    assert "SELECT" not in page
    assert "10.1.2.3" not in page
    assert steady_client.get(path).status_code == before


def test_a_form_sent_while_the_database_is_away_is_told_to_look_again(steady_client):
    with database_away():
        response = steady_client.post("/models/starter/")
    assert response.status_code == 503
    page = response.content.decode()
    assert "may not have been saved" in page
    assert 'href="/models/starter/"' not in page


def test_the_page_without_a_database_follows_the_theme(steady_client):
    steady_client.cookies["theme"] = "dark"
    with database_away():
        page = steady_client.get("/models/").content.decode()
    assert 'data-theme="dark"' in page


def test_the_api_says_in_json_that_the_database_is_away(steady_client):
    key = WorkspaceKey.issue("ci").plaintext
    headers = {"X-RunAgents-API-Key": key}
    url = "/api/v1/model-providers"
    with database_away():
        response = steady_client.get(url, headers=headers)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert set(response.json()) == {"error"}
    assert "SELECT" not in response.content.decode()
    assert steady_client.get(url, headers=headers).status_code == 200


def test_a_missing_table_is_a_failure_of_the_server(steady_client):
    cause = sqlite3.OperationalError("no such table: providers_modelprovider")
    cause.sqlite_errorcode = sqlite3.SQLITE_ERROR
    with database_away(cause):
        response = steady_client.get("/models/")
    assert response.status_code == 500
    assert "Something went wrong here" in response.content.decode()


def test_an_unknown_host_name_is_told_what_to_set(logged_in_client):
    response = logged_in_client.get("/", headers={"host": "192.0.2.7:8000"})
    page = response.content.decode()
    assert response.status_code == 400
    assert "ALLOWED_HOSTS=192.0.2.7" in page
    assert "PUBLIC_URL=http://192.0.2.7:8000" in page


def test_a_host_name_that_is_none_is_shown_as_text(logged_in_client):
    response = logged_in_client.get("/", headers={"host": "<b>x"})
    assert response.status_code == 400
    assert "<b>x" not in response.content.decode()


def test_the_address_of_a_form_opened_by_itself_has_a_page(logged_in_client):
    response = logged_in_client.get("/models/starter/")
    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert "This is not a page" in response.content.decode()

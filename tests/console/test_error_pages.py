"""Pages for what went wrong: plain words, the console's look, nothing of the inside."""

import pytest
from django.http import Http404
from django.test import Client, RequestFactory
from django.views.defaults import server_error


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

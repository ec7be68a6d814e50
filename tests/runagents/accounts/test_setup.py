"""The first visit: whoever holds the set-up token creates the administrator."""

import stat

import pytest
from django.contrib.auth.models import User

from runagents.accounts import setup

PASSWORD = "correct horse battery"


@pytest.fixture
def token(tmp_path, settings, db):
    """The token of a fresh data folder."""
    settings.DATA_DIR = tmp_path
    return setup.setup_token()


def fields(token, **changed):
    """What the page posts."""
    return {
        "token": token,
        "username": "ada",
        "email": "",
        "password1": PASSWORD,
        "password2": PASSWORD,
        **changed,
    }


def test_the_token_file_is_private_and_the_token_stays(token):
    assert stat.S_IMODE(setup.token_file().stat().st_mode) == 0o600
    assert setup.setup_token() == token


def test_every_page_leads_to_set_up_while_nobody_exists(client, token):
    response = client.get("/", follow=True)
    assert response.request["PATH_INFO"] == "/setup/"


@pytest.mark.proves("11.1")
def test_the_token_creates_one_administrator_and_is_used_up(client, token):
    response = client.post("/setup/", fields(token))
    user = User.objects.get()
    assert response.url == "/"
    assert (user.username, user.is_superuser, user.is_staff) == ("ada", True, True)
    assert not setup.token_file().exists()
    assert client.get("/").status_code == 200


def test_the_link_fills_the_token_in(client, token):
    page = client.get("/setup/", {"token": token}).content.decode()
    assert f'value="{token}"' in page


@pytest.mark.proves("11.1")
@pytest.mark.parametrize("guess", ["", "wrong", "ümlaut", "x" * 43])
def test_a_wrong_token_creates_nobody(client, token, guess):
    response = client.post("/setup/", fields(guess))
    assert response.status_code == 422
    assert not User.objects.exists()
    assert setup.token_file().exists()


def test_no_token_is_right_when_the_file_is_missing(client, token):
    setup.token_file().unlink()
    assert client.post("/setup/", fields("")).status_code == 422
    assert not User.objects.exists()


def test_a_truncated_token_file_lets_nobody_in(client, token):
    setup.token_file().write_text("")
    assert not setup.is_valid("")


@pytest.mark.parametrize(
    "changed", [{"password1": "short", "password2": "short"}, {"password2": "other"}]
)
def test_a_bad_password_keeps_the_token(client, token, changed):
    assert client.post("/setup/", fields(token, **changed)).status_code == 422
    assert setup.setup_token() == token


def test_set_up_is_gone_once_a_user_exists(client, token, administrator):
    assert client.get("/setup/").url == "/login/"
    assert client.post("/setup/", fields(token)).url == "/login/"
    assert User.objects.count() == 1


def test_the_link_opened_again_says_why_it_leads_to_sign_in(client, administrator):
    page = client.get("/setup/?token=x", follow=True).content.decode()
    assert "The administrator exists already. Sign in." in page


def test_the_link_opened_again_says_nothing_to_who_is_signed_in(logged_in_client):
    page = logged_in_client.get("/setup/?token=x", follow=True).content.decode()
    assert "The administrator exists already" not in page


def test_a_wrong_link_says_so_before_anything_is_typed(client, token):
    page = client.get("/setup/?token=wrong").content.decode()
    assert "This is not the token of this installation." in page


def test_the_right_link_is_not_called_wrong(client, token):
    page = client.get("/setup/", {"token": token}).content.decode()
    assert "This is not the token" not in page

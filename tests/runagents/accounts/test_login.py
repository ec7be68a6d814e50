"""Log-in and log-out, and how guessing is slowed down."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import get_hasher
from django.contrib.sessions.models import Session
from django.utils import timezone

from runagents.models import LoginAttempt

RIGHT = {"username": "admin", "password": "correct horse"}
WRONG = {"username": "admin", "password": "battery staple"}


def test_the_right_password_opens_the_page_that_was_asked_for(client, administrator):
    response = client.get("/models/")
    assert response.url == "/login/?next=/models/"
    response = client.post("/login/", {**RIGHT, "next": "/models/"})
    assert response.url == "/models/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", ""])
def test_a_foreign_target_leads_to_the_dashboard(client, administrator, target):
    assert client.post("/login/", {**RIGHT, "next": target}).url == "/"


def test_unknown_names_and_wrong_passwords_read_the_same(client, administrator):
    known = client.post("/login/", WRONG)
    unknown = client.post("/login/", {"username": "nobody", "password": "x"})
    assert known.status_code == unknown.status_code == 422
    message = "Please enter a correct username and password"
    assert message in known.content.decode()
    assert message in unknown.content.decode()


def test_unknown_names_cost_as_much_time_as_known_ones(
    client, administrator, monkeypatch
):
    """What takes the time of a log-in is the hash of the password."""
    hashed = []
    hasher = get_hasher()
    encode = type(hasher).encode

    def counted(self, password, salt, *arguments, **options):
        hashed.append(password)
        return encode(self, password, salt, *arguments, **options)

    monkeypatch.setattr(type(hasher), "encode", counted)
    for name in ("admin", "nobody"):
        client.post("/login/", {"username": name, "password": "battery staple"})
    assert hashed == ["battery staple"] * 2


@pytest.mark.proves("11.2")
def test_the_sixth_attempt_on_a_name_waits(client, administrator):
    for _ in range(5):
        assert client.post("/login/", WRONG).status_code == 422
    response = client.post("/login/", RIGHT)
    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()


LOOK_ALIKES = ["\uff41dmin", "\U0001d41admin", "\u24d0dmin", "ADMIN", "\u2003admin "]


def test_a_name_written_otherwise_is_the_same_name(client, administrator):
    for name in LOOK_ALIKES:
        client.post("/login/", {**WRONG, "username": name})
    assert client.post("/login/", RIGHT).status_code == 429


def test_another_address_is_not_locked_out(client, administrator):
    for _ in range(6):
        client.post("/login/", WRONG)
    response = client.post("/login/", RIGHT, REMOTE_ADDR="192.0.2.7")
    assert response.status_code == 302


def test_an_address_that_tries_many_names_waits(client, administrator):
    for number in range(50):
        client.post("/login/", {"username": f"user{number}", "password": "x"})
    assert client.post("/login/", RIGHT).status_code == 429


def test_waiting_helps(client, administrator):
    for _ in range(6):
        client.post("/login/", WRONG)
    LoginAttempt.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert client.post("/login/", RIGHT).status_code == 302


def test_a_success_forgets_earlier_mistakes(client, administrator):
    for _ in range(4):
        client.post("/login/", WRONG)
    client.post("/login/", RIGHT)
    assert not LoginAttempt.objects.exists()


def test_a_forged_forwarding_header_does_not_help(client, administrator):
    for number in range(6):
        client.post("/login/", WRONG, headers={"X-Forwarded-For": f"192.0.2.{number}"})
    forged = {"X-Forwarded-For": "192.0.2.99"}
    assert client.post("/login/", RIGHT, headers=forged).status_code == 429


def test_behind_a_trusted_proxy_its_word_counts(client, administrator, settings):
    settings.TRUSTED_PROXIES = 1
    for _ in range(6):
        client.post("/login/", WRONG, headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.1"})
    other = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}
    assert client.post("/login/", RIGHT, headers=other).status_code == 302


@pytest.mark.proves("11.2")
def test_the_session_changes_at_log_in_and_dies_at_log_out(client, administrator):
    client.get("/login/")
    client.post("/login/", RIGHT)
    key = client.session.session_key
    client.post("/logout/")
    assert not Session.objects.filter(session_key=key).exists()
    assert client.get("/").status_code == 302


def test_a_part_of_a_page_without_a_session_reloads_the_page(client, administrator):
    htmx = {"HX-Request": "true"}
    response = client.get("/models/openai/row/", headers=htmx, follow=True)
    assert response["HX-Refresh"] == "true"
    assert response.content == b""


def test_the_admin_uses_this_log_in(client, administrator):
    response = client.get("/admin/", follow=True)
    assert response.request["PATH_INFO"] == "/login/"
    assert client.post("/admin/login/", RIGHT).status_code == 302
    assert "_auth_user_id" not in client.session


def test_the_rules_for_passwords_are_a_list_and_no_markup(logged_in_client):
    page = logged_in_client.get("/password/").content.decode()
    assert "<ul><li>Your password" in page
    assert "&lt;li&gt;" not in page

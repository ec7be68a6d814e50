"""People of the console: invited by a link, given roles, ended."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from providers.models import WorkspaceKey
from providers.roles import Role, role_of
from runagents.accounts import people
from runagents.models import AuditEntry, SignInLink

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough word"


def link_on(page):
    return re.search(r"http://testserver(/join/[\w-]+/)", page.content.decode())


def invite(client, name="bea", role=Role.OPERATOR):
    answer = client.post("/settings/people/", {"name": name, "role": int(role)})
    assert answer.status_code == 302
    return link_on(client.get("/settings/people/"))[1]


def join(link, password=PASSWORD):
    client = Client()
    fields = {"new_password1": password, "new_password2": password}
    return client, client.post(link, fields)


def test_an_invited_person_chooses_a_password_and_is_in(logged_in_client):
    client, answer = join(invite(logged_in_client))
    assert answer.url == "/"
    user = User.objects.get(username="bea")
    assert role_of(user) == Role.OPERATOR
    assert client.get("/models/new/").status_code == 200
    assert client.get("/settings/people/").status_code == 403
    assert Client().login(username="bea", password=PASSWORD)


def test_a_link_is_shown_once_and_kept_as_a_digest(logged_in_client):
    link = invite(logged_in_client)
    assert link_on(logged_in_client.get("/settings/people/")) is None
    token = link.split("/")[2]
    assert token not in SignInLink.objects.get().digest
    assert not any(
        token in str(session.get_decoded()) for session in Session.objects.all()
    )


def test_a_link_works_once(logged_in_client):
    link = invite(logged_in_client)
    assert Client().get(link).status_code == 200
    join(link)
    client, answer = join(link, "another long word")
    assert answer.status_code == 410
    assert client.get("/").status_code == 302
    assert not Client().login(username="bea", password="another long word")


def test_a_link_ends_after_a_week_or_with_the_next(logged_in_client):
    old = invite(logged_in_client)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(old).status_code == 410
    user = User.objects.get(username="bea")
    logged_in_client.post(f"/settings/people/{user.pk}/link/")
    new = link_on(logged_in_client.get("/settings/people/"))[1]
    assert Client().get(old).status_code == 410
    assert Client().get(new).status_code == 200


def test_a_weak_password_is_refused_and_the_link_stays(logged_in_client):
    link = invite(logged_in_client)
    assert join(link, "12345")[1].status_code == 422
    assert join(link)[1].status_code == 302


@pytest.mark.parametrize("name", ["admin", "ADMIN", "two words", ""])
def test_a_name_that_is_taken_or_none_is_refused(logged_in_client, name):
    fields = {"name": name, "role": 1}
    assert logged_in_client.post("/settings/people/", fields).status_code == 422
    assert User.objects.count() == 1


def test_a_role_changes_from_the_next_request_on(logged_in_client):
    client, _answer = join(invite(logged_in_client))
    user = User.objects.get(username="bea")
    logged_in_client.post(f"/settings/people/{user.pk}/role/", {"role": 1})
    assert client.get("/models/new/").status_code == 403
    logged_in_client.post(f"/settings/people/{user.pk}/role/", {"role": 3})
    assert client.get("/settings/people/").status_code == 200
    logged_in_client.post(f"/settings/people/{user.pk}/role/", {"role": 4})
    assert role_of(User.objects.get(username="bea")) == Role.ADMINISTRATOR


def test_who_has_ended_is_out_at_once_and_stays_out(logged_in_client):
    client, _answer = join(invite(logged_in_client))
    user = User.objects.get(username="bea")
    answer = logged_in_client.post(f"/settings/people/{user.pk}/end/")
    assert answer.url == "/settings/people/"
    assert client.get("/").status_code == 302
    assert not Client().login(username="bea", password=PASSWORD)
    # Nor does the old session come back with the person.
    logged_in_client.post(f"/settings/people/{user.pk}/link/")
    join(link_on(logged_in_client.get("/settings/people/"))[1])
    assert client.get("/").status_code == 302


def test_ending_takes_an_open_invitation_along(logged_in_client):
    link = invite(logged_in_client)
    user = User.objects.get(username="bea")
    logged_in_client.post(f"/settings/people/{user.pk}/end/")
    assert join(link)[1].status_code == 410


def test_the_last_administrator_can_neither_end_nor_step_down(
    logged_in_client, administrator
):
    # Who was invited and never came is no help.
    invite(logged_in_client, "late", Role.ADMINISTRATOR)
    url = f"/settings/people/{administrator.pk}"
    assert logged_in_client.post(f"{url}/end/").status_code == 422
    page = logged_in_client.post(f"{url}/role/", {"role": 1}, follow=True)
    assert "last administrator" in page.content.decode()
    administrator.refresh_from_db()
    assert role_of(administrator) == Role.ADMINISTRATOR


def test_one_of_two_administrators_can_go(logged_in_client, administrator):
    User.objects.create_superuser("second", password=PASSWORD)
    logged_in_client.post(f"/settings/people/{administrator.pk}/end/")
    administrator.refresh_from_db()
    assert role_of(administrator) is None
    with pytest.raises(people.LastAdministratorError):
        people.end(User.objects.get(username="second"))


def test_the_audit_log_tells_who_did_what_to_whom(logged_in_client):
    invite(logged_in_client)
    user = User.objects.get(username="bea")
    logged_in_client.post(f"/settings/people/{user.pk}/role/", {"role": 1})
    logged_in_client.post(f"/settings/people/{user.pk}/end/")
    told = [
        (entry.actor, entry.action, entry.kind, entry.label, entry.fields)
        for entry in AuditEntry.objects.filter(kind="user", label="bea")
    ][::-1]
    assert told == [
        ("admin", "add", "user", "bea", ["password", "role", "username"]),
        ("admin", "change", "user", "bea", ["role"]),
        ("admin", "change", "user", "bea", ["access", "password"]),
    ]


def test_the_question_before_an_end_changes_nothing(logged_in_client):
    invite(logged_in_client)
    user = User.objects.get(username="bea")
    page = logged_in_client.get(f"/settings/people/{user.pk}/end/").content.decode()
    assert "End the access of bea?" in page
    user.refresh_from_db()
    assert user.is_active


def test_the_question_before_an_end_names_the_keys_that_go_on(logged_in_client):
    invite(logged_in_client)
    user = User.objects.get(username="bea")
    WorkspaceKey.issue("pipeline")
    WorkspaceKey.issue("over")
    WorkspaceKey.objects.get(name="over").revoke()
    page = logged_in_client.get(f"/settings/people/{user.pk}/end/").content.decode()
    assert "pipeline (ra_" in page
    assert "over (ra_" not in page

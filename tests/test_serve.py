"""What `serve` prepares before it becomes the server."""

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from runagents.management.commands.serve import Command

PASSWORD = "correct horse battery staple"


@pytest.fixture
def prepare(db, settings):
    """Prepares the database as `serve` does: `prepare("admin", PASSWORD, email)`."""

    def run(name: str, password: str = "", email: str = "") -> None:
        settings.FIRST_ADMINISTRATOR = name
        settings.FIRST_ADMINISTRATOR_PASSWORD = password
        settings.FIRST_ADMINISTRATOR_EMAIL = email
        Command()._prepare_database()

    return run


def test_the_first_administrator_needs_no_email(prepare):
    prepare("admin", PASSWORD)
    user = User.objects.get()
    assert user.is_superuser
    assert user.is_staff
    assert user.check_password(PASSWORD)


def test_nobody_is_made_beside_an_administrator(prepare, administrator):
    prepare("second", PASSWORD, "second@example.com")
    assert list(User.objects.all()) == [administrator]


def test_a_name_without_a_password_is_refused_in_a_sentence(prepare):
    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_PASSWORD"):
        prepare("admin")


@pytest.mark.parametrize(
    ("name", "email", "variable"),
    [("a name", "", "USERNAME"), ("admin", "nowhere", "EMAIL")],
)
def test_a_wrong_value_is_told_with_its_variable(prepare, name, email, variable):
    with pytest.raises(CommandError, match=f"DJANGO_SUPERUSER_{variable}: Enter a val"):
        prepare(name, PASSWORD, email)
    assert not User.objects.exists()

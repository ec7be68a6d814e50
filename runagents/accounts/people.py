"""The console's users: invited, given another role, ended.

Nobody mails anything: who invites somebody gets a link that works once, and carries it
over. Somebody who has ended cannot sign in, and every session of theirs is over; their
name stays taken, for the audit log's sake.
"""

import secrets
from datetime import timedelta

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers import keys
from providers.roles import Role, give
from runagents.models import SignInLink

LINK_LIFE = timedelta(days=7)
TOKEN_BYTES = 32
LAST = _(
    "This is the last administrator who can sign in. Make somebody else one first."
)


class LastAdministratorError(Exception):
    """A change after which nobody could manage the console; nothing was changed."""

    def __str__(self) -> str:
        return str(LAST)


@transaction.atomic
def invite(name: str, role: Role) -> tuple[User, str]:
    """Make a user who cannot sign in yet, and the token of the link to begin with."""
    user = User(username=name)
    give(user, role)
    user.set_unusable_password()
    user.save()
    return user, new_link(user)


@transaction.atomic
def new_link(user: User) -> str:
    """Return the token of a link by which `user` sets a password; earlier ones end.

    It lets somebody back in who had ended, once they use it.
    """
    SignInLink.objects.filter(user=user).delete()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    SignInLink.objects.create(
        user=user, digest=keys.digest(token), expires_at=timezone.now() + LINK_LIFE
    )
    return token


def link_of(token: str) -> SignInLink | None:
    """Return the link of a token, None for one that is wrong, used up or too old."""
    links = SignInLink.objects.filter(
        digest=keys.digest(token), expires_at__gt=timezone.now()
    )
    return links.select_related("user").first()


@transaction.atomic
def use(link: SignInLink, password: str) -> User | None:
    """Set the password of the link's user; None if it was used in the meantime."""
    deleted, _rows = SignInLink.objects.filter(pk=link.pk).delete()
    if not deleted:
        return None
    user: User = link.user
    user.is_active = True
    user.set_password(password)
    user.save(update_fields=["is_active", "password"])
    return user


@transaction.atomic
def change_role(user: User, role: Role) -> None:
    """Give a user another role; raises LastAdministratorError."""
    if role != Role.ADMINISTRATOR:
        _keep_an_administrator(user)
    give(user, role)
    user.save(update_fields=["is_staff", "is_superuser"])


@transaction.atomic
def end(user: User) -> None:
    """Let a user in no more; raises LastAdministratorError.

    Sessions go with the password that they were begun with.
    """
    _keep_an_administrator(user)
    SignInLink.objects.filter(user=user).delete()
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])


def able_administrators() -> QuerySet[User]:
    """Return the administrators who can sign in: an invited one may never come."""
    rows = User.objects.filter(is_superuser=True, is_active=True)
    return rows.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def _keep_an_administrator(user: User) -> None:
    """Raise if `user` is the last one; two who leave at once wait for each other."""
    able = set(able_administrators().select_for_update().values_list("pk", flat=True))
    if able == {user.pk}:
        raise LastAdministratorError

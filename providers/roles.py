"""The three roles of the console's users, and how a user's is found out.

Kept in Django's own two marks, which come with the user: no query is needed to tell a
role, and what `manage.py createsuperuser` makes is an administrator. Which role a page
asks for stands in `runagents.accounts.access`.
"""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.IntegerChoices):
    """What somebody may do; each may do what those before it may."""

    VIEWER = 1, _("Viewer")
    OPERATOR = 2, _("Operator")
    ADMINISTRATOR = 3, _("Administrator")


def role_of(user: Any) -> Role | None:
    """Return the role of a user, None for one who is not signed in or has ended."""
    if user is None or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMINISTRATOR
    return Role.OPERATOR if user.is_staff else Role.VIEWER


def give(user: Any, role: Role) -> None:
    """Give a user a role (not saved)."""
    user.is_superuser = role == Role.ADMINISTRATOR
    user.is_staff = role >= Role.OPERATOR


def may(user: Any, role: Role) -> bool:
    """Tell whether a user has `role` or more."""
    found = role_of(user)
    return found is not None and found >= role

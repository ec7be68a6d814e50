"""Users from before there were roles get the one that they came nearest to."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User

from providers.roles import Role, role_of


@pytest.mark.django_db
def test_existing_users_get_a_role():
    permission = Permission.objects.first()
    group = Group.objects.create(name="team")
    group.permissions.add(permission)
    User.objects.create(username="root", is_superuser=True)
    User.objects.create(username="staff", is_staff=True)
    User.objects.create(username="granted").user_permissions.add(permission)
    User.objects.create(username="member").groups.add(group)
    User.objects.create(username="plain")
    migration = import_module("runagents.migrations.0003_roles")
    migration.give_roles(apps, None)
    assert {user.username: role_of(user) for user in User.objects.all()} == {
        "root": Role.ADMINISTRATOR,
        "staff": Role.VIEWER,
        "granted": Role.OPERATOR,
        "member": Role.OPERATOR,
        "plain": Role.VIEWER,
    }

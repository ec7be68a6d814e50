"""Give every user a role.

Superusers are administrators already. Of the others, who was given any permission is an
operator, who was given none a viewer.
"""

from typing import Any

from django.db import migrations
from django.db.models import Q


def give_roles(apps: Any, schema_editor: Any) -> None:
    user = apps.get_model("auth", "User")
    user.objects.filter(is_superuser=True).update(is_staff=True)
    granted = Q(user_permissions__isnull=False) | Q(groups__permissions__isnull=False)
    operators = set(user.objects.filter(granted).values_list("pk", flat=True))
    others = user.objects.filter(is_superuser=False)
    others.filter(pk__in=operators).update(is_staff=True)
    others.exclude(pk__in=operators).update(is_staff=False)


class Migration(migrations.Migration):

    dependencies = [
        ('runagents', '0002_audit_log'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [migrations.RunPython(give_roles, migrations.RunPython.noop)]

"""The audit log in Django's admin: to look at, not to edit.

Users are the console's to invite and end, by its rules: not here.
"""

from django.contrib import admin
from django.contrib.auth.models import Group, User

from providers.admin.bases import LogAdmin
from runagents.models import AuditEntry

admin.site.unregister([User, Group])


@admin.register(AuditEntry)
class AuditEntryAdmin(LogAdmin):
    """Who changed what, newest first. Nobody writes or deletes a line."""

    list_display = ["at", "actor", "address", "action", "kind", "label", "fields"]
    list_filter = ["action", "kind"]
    search_fields = ["actor", "label", "address"]

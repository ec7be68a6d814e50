"""The audit log in Django's admin: to look at, not to edit."""

from django.contrib import admin

from providers.admin.bases import LogAdmin
from runagents.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(LogAdmin):
    """Who changed what, newest first. Nobody writes or deletes a line."""

    list_display = ["at", "actor", "address", "action", "kind", "label", "fields"]
    list_filter = ["action", "kind"]
    search_fields = ["actor", "label", "address"]

"""The audit log in Django's admin: to look at, not to edit."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from runagents.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who changed what, newest first. Nobody writes or deletes a line."""

    list_display = ["at", "actor", "address", "action", "kind", "label", "fields"]
    list_filter = ["action", "kind"]
    search_fields = ["=actor", "=label", "=address"]
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Lines come from changes."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor is it taken back."""
        return False

"""The usage ledger in Django's admin: to look at, not to edit."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from gateway.models import UsageRecord


@admin.register(UsageRecord)
class UsageRecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Calls, newest first. Nobody writes or deletes them by hand."""

    list_display = [
        "started_at",
        "caller",
        "provider",
        "model",
        "outcome",
        "status",
        "error_code",
        "input_tokens",
        "output_tokens",
        "cost",
        "duration_ms",
    ]
    list_filter = ["outcome", "caller_kind", "stream"]
    # Whole values: these columns are indexed, and the ledger is large.
    search_fields = ["=caller", "=provider", "=model", "=request_id", "=call_id"]
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from calls."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows go when their retention ends."""
        return False

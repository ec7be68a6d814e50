"""The usage ledger in Django's admin: to look at, not to edit."""

from django.contrib import admin

from gateway.models import UsageRecord
from providers.admin.bases import LogAdmin


@admin.register(UsageRecord)
class UsageRecordAdmin(LogAdmin):
    """Calls, newest first. Nobody writes or deletes them by hand."""

    list_display = [
        "started_at",
        # How it ended comes first: a window shows some six of them.
        "status",
        "outcome",
        "error_code",
        "caller",
        "provider",
        "model",
        "input_tokens",
        "output_tokens",
        "cost",
        "duration_ms",
    ]
    list_filter = ["outcome", "caller_kind", "stream"]
    search_fields = ["caller", "provider", "model", "request_id", "call_id"]

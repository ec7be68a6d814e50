"""The usage ledger in Django's admin: to look at, not to edit."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from gateway.models import UsageRecord
from providers.admin.bases import LogAdmin


@admin.register(UsageRecord)
class UsageRecordAdmin(LogAdmin):
    """Calls, newest first. Nobody writes or deletes them by hand."""

    list_display = [
        "started_at",
        # How it ended comes first: a window shows some six of them.
        "status",
        "ended",
        "caller",
        "provider",
        "model",
        "tokens",
        "cost",
        "duration_ms",
    ]
    list_filter = ["outcome", "caller_kind", "stream"]
    search_fields = ["caller", "provider", "model", "request_id", "call_id"]

    @admin.display(description=_("outcome"), ordering="outcome")
    def ended(self, call: UsageRecord) -> str:
        """How the call ended, in the word for what went wrong where there is one."""
        return call.error_code or call.get_outcome_display()

    @admin.display(description=_("tokens in / out"), ordering="input_tokens")
    def tokens(self, call: UsageRecord) -> str | None:
        """What was read and what was written, where the provider told."""
        if call.input_tokens is None:
            return None
        return f"{call.input_tokens} / {call.output_tokens or 0}"

"""The project's own app: its commands and pages."""

from django.apps import AppConfig
from django.contrib.auth import signals as auth_signals
from django.core.signals import request_finished
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, post_save, pre_save


class RunAgentsConfig(AppConfig):
    """Holds management commands, the dashboard, set-up and the audit log."""

    name = "runagents"
    verbose_name = "RunAgents"

    def ready(self) -> None:
        """Connect who must hear of changes, exports, log-ins and ends of requests."""
        from providers import database
        from providers.models.announced import dismissed, exported, resealed
        from runagents import audit
        from runagents.audit.subjects import SUBJECTS

        request_finished.connect(database.close_connections)
        connection_created.connect(database.note_file)
        for model in SUBJECTS:
            pre_save.connect(audit.note_before, sender=model)
            post_save.connect(audit.note_saved, sender=model)
            post_delete.connect(audit.note_deleted, sender=model)
        auth_signals.user_logged_in.connect(audit.note_login)
        auth_signals.user_logged_out.connect(audit.note_logout)
        auth_signals.user_login_failed.connect(audit.note_failed_login)
        exported.connect(audit.note_export)
        resealed.connect(audit.note_resealed)
        dismissed.connect(audit.note_dismissed)

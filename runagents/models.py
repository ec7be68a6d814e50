"""What the console remembers: failed log-ins, invitations, and who changed what."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class LoginAttempt(models.Model):
    """A log-in that failed, or is being tried; rows of a success are deleted.

    The name is kept as a digest: people type passwords into the wrong field.
    """

    name_digest = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["address", "at"], name="login_address"),
            models.Index(fields=["at"], name="login_at"),
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.at:%Y-%m-%d %H:%M}"


class AuditEntry(models.Model):
    """One row of the audit log; runagents/audit.py writes them and nothing else does.

    `fields` are names, never values. `actor` is empty for whoever failed to log in.
    Rows of one request share `operation`.
    """

    ACTOR_LENGTH = 200
    LABEL_LENGTH = 600

    class Action(models.TextChoices):
        ADD = "add", _("Added")
        CHANGE = "change", _("Changed")
        DELETE = "delete", _("Deleted")
        ROTATE = "rotate", _("Rotated")
        REVOKE = "revoke", _("Revoked")
        EXPORT = "export", _("Exported")
        LOG_IN = "log_in", _("Logged in")
        LOG_IN_FAILED = "log_in_failed", _("Failed to log in")
        LOG_OUT = "log_out", _("Logged out")

    at = models.DateTimeField(_("time"), auto_now_add=True)
    actor = models.CharField(_("who"), max_length=ACTOR_LENGTH, blank=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    action = models.CharField(_("what happened"), max_length=16, choices=Action.choices)
    kind = models.CharField(_("to what"), max_length=32)
    label = models.CharField(_("name"), max_length=LABEL_LENGTH, blank=True)
    object_key = models.CharField(max_length=64, blank=True)
    fields = models.JSONField(_("changed fields"), default=list)
    operation = models.CharField(max_length=32, blank=True, db_index=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["kind", "-id"], name="audit_kind"),
            models.Index(fields=["action", "-id"], name="audit_action"),
            models.Index(fields=["at"], name="audit_at"),
        ]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.kind} {self.label}".rstrip()


class SignInLink(models.Model):
    """A link by which a user sets a password, once; only its digest is stored."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="link"
    )
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("sign-in link")

    def __str__(self) -> str:
        return str(self.user)

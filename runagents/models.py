"""What the console remembers about itself: failed log-ins."""

from django.db import models


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

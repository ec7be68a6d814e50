"""The gateway app."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """Holds the usage ledger's model; the rest needs no set-up."""

    name = "gateway"
    default_auto_field = "django.db.models.BigAutoField"

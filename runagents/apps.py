"""The project's own app: its commands and pages."""

from django.apps import AppConfig


class RunAgentsConfig(AppConfig):
    """Holds management commands, the dashboard and set-up."""

    name = "runagents"
    verbose_name = "RunAgents"

"""The agents app: a changed key or wire moves the registry's version."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class AgentsConfig(AppConfig):
    """Registers the signal that announces changed access to the gateway's workers."""

    name = "runagents.agents"
    label = "agents"

    def ready(self) -> None:
        """Connect the signal."""
        from providers.models import RegistryVersion
        from runagents.agents import models

        def announce(**kwargs: Any) -> None:
            RegistryVersion.bump()

        for model in (models.Agent, models.AgentKey, models.Wire):
            for signal in (post_save, post_delete):
                signal.connect(
                    announce, sender=model, weak=False, dispatch_uid="registry-version"
                )

"""The providers app: every change of the registry moves the registry's version."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class ProvidersConfig(AppConfig):
    """Registers the signal that announces changes to the gateway's workers."""

    name = "providers"

    def ready(self) -> None:
        """Connect the signal to the models that the gateway's snapshot holds."""
        from providers import models, status
        from providers.model_lists import looking

        status.checked.connect(looking.note)

        def announce(**kwargs: Any) -> None:
            models.RegistryVersion.bump()

        for model in (
            models.ModelProvider,
            models.ProviderModel,
            models.Secret,
            models.WorkspaceKey,
            models.OAuthToken,
            models.BodyWindow,
        ):
            for signal in (post_save, post_delete):
                signal.connect(
                    announce, sender=model, weak=False, dispatch_uid="registry-version"
                )

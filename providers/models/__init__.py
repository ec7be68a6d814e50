"""The registry: model providers, their models, the secrets they use, workspace keys."""

from providers.models.announced import Announced, RegistryVersion
from providers.models.body_window import BodyWindow
from providers.models.keys import IssuedKey, WorkspaceKey
from providers.models.model_list import ModelList
from providers.models.provider import ModelProvider, ProviderModel
from providers.models.rename import ProviderRename
from providers.models.rules import NAME_RULE, REGION_RULE
from providers.models.secret import Secret, SecretNotAllowed, keys_in
from providers.models.token import OAuthToken

__all__ = [
    "NAME_RULE",
    "REGION_RULE",
    "Announced",
    "BodyWindow",
    "IssuedKey",
    "ModelList",
    "ModelProvider",
    "OAuthToken",
    "ProviderModel",
    "ProviderRename",
    "RegistryVersion",
    "Secret",
    "SecretNotAllowed",
    "WorkspaceKey",
    "keys_in",
]

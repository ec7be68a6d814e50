"""Django's admin for the registry."""

# Django looks for what an app registers in its module `admin`.
from providers.admin import pages, secrets

__all__ = ["pages", "secrets"]

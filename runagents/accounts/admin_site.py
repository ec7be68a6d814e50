"""Django's admin under the console's one rule of who may."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import SimpleAdminConfig
from django.http import HttpRequest

from providers.roles import Role, may


class ConsoleAdminSite(AdminSite):
    """The admin, for administrators: others get the console's 403, not a log-in."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether the sender may use the admin at all."""
        return may(request.user, Role.ADMINISTRATOR)


class ConsoleAdminConfig(SimpleAdminConfig):
    """Puts that site in the place of Django's own; runagents/urls.py fills it."""

    default_site = "runagents.accounts.admin_site.ConsoleAdminSite"

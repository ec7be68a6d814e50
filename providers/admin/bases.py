"""What several pages of Django's admin have in common."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class LogAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What happened, newest first: to look at, written and deleted by nobody's hand."""

    list_per_page = 50
    show_full_result_count = False
    search_help_text = _("Whole values, as they stand in the list.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find whole values only: logs are long, and indexes know no parts of words.

        Django's own way to ask for whole values takes capitals for small letters,
        which no index helps with either.
        """
        wanted = Q()
        if term := search_term.strip():
            for column in self.search_fields:
                wanted |= Q(**{str(column): term})
        return queryset.filter(wanted), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor is it taken back; rows go when their retention ends, if they have one."""
        return False


class IssuedKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Keys that we issued, by prefix and last characters; they can only be revoked.

    None is made here: a key is shown once, and the admin's messages live in a cookie.
    """

    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Keys are made where they can be shown once."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keys are looked at and revoked, not edited."""
        return obj is None and super().has_change_permission(request)

    @admin.display(description=_("key"))
    def shown(self, key: Any) -> str:
        """What tells the key from others."""
        return f"{key.prefix}_…{key.last4}"

    @admin.display(description=_("live"), boolean=True)
    def live(self, key: Any) -> bool:
        """Whether the key is accepted."""
        return bool(key.is_live())

    @admin.action(description=_("Revoke selected"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Refuse the selected keys from now on."""
        rows = list(queryset.filter(revoked_at=None))
        for row in rows:
            row.revoke()
        self.message_user(request, _("%d revoked.") % len(rows), messages.SUCCESS)

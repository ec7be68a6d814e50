"""The registry in Django's admin, under the same rules as everywhere else.

Providers go through `ProviderForm`, secrets are replaced but never shown, statuses are
found out rather than typed.
"""

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from providers import status, vendors
from providers.admin.bases import IssuedKeyAdmin
from providers.forms import credentials, presets
from providers.forms.provider import EditConflict, ProviderForm
from providers.models import ModelProvider, ProviderModel, WorkspaceKey

admin.site.site_header = _("RunAgents Model Providers")
admin.site.site_title = _("RunAgents admin")
admin.site.index_title = _("All records")

# Checks run one after the other in the request; more than this would take too long.
MAX_CHECKS = 10


@admin.register(ModelProvider)
class ModelProviderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Model providers, by the one form that knows their rules."""

    list_display = [
        "name",
        # What is looked for comes first: a window shows some six of them.
        "status",
        "enabled",
        "provider_type",
        "models_served",
        "status_checked_at",
        "endpoint",
        "auth_type",
        "priority",
    ]
    list_filter = ["provider_type", "status", "enabled", "auth_type"]
    search_fields = ["name", "endpoint", "provider_models__model_id"]
    readonly_fields = ["status", "status_message", "status_checked_at"]
    actions = ["check_selected", "enable", "disable"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "name",
                    "provider_type",
                    "endpoint",
                    "private_network",
                    "models",
                    "enabled",
                    "priority",
                    "requests_per_minute",
                    "version",
                ]
            },
        ),
        (
            _("Authentication"),
            {
                "description": _("Leave the values empty to keep what is stored."),
                "fields": [
                    "auth_type",
                    "secret",
                    "header_name",
                    "value_prefix",
                    "region",
                    "authorization_url",
                    "token_url",
                    "scopes",
                    "client_auth",
                    "token_params",
                    *credentials.ALL_VALUES,
                ],
            },
        ),
        (_("Advanced"), {"classes": ["collapse"], "fields": ["options"]}),
        (
            _("Status"),
            {"fields": ["status", "status_message", "status_checked_at"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelProvider]:
        """Count the models along, in the same query."""
        rows: QuerySet[ModelProvider] = super().get_queryset(request)
        # Counted by itself: joined along, a search would count, and look at, each model
        # as often as there are models.
        models = ProviderModel.objects.filter(provider=OuterRef("pk")).order_by()
        counted = models.values("provider").annotate(number=Count("pk"))
        return rows.annotate(count=Coalesce(counted.values("number"), 0))

    @admin.display(description=_("models"), ordering="count")
    def models_served(self, provider: ModelProvider) -> int:
        """How many models the provider serves."""
        return provider.count  # type: ignore[attr-defined,no-any-return]

    def get_form(  # type: ignore[override]
        self, request: HttpRequest, obj: ModelProvider | None = None, **kwargs: Any
    ) -> type[ProviderForm]:
        """Use the form as it is: some of its fields are only made with it."""
        return ProviderForm

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start with what a provider of the usual type needs."""
        kind = request.GET.get("provider_type", vendors.USUAL)
        return {**presets.initial(kind), "options": {}}

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show or store a provider; an edit that came second is told, not stored."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except EditConflict as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Store everything the form is about, secret and models included."""
        return form.save()

    def save_model(self, request: Any, obj: Any, form: Any, change: Any) -> None:
        """Do nothing: the form has stored the provider."""

    def save_related(self, request: Any, form: Any, formsets: Any, change: Any) -> None:
        """Do nothing: the form has stored the models."""

    @admin.action(description=_("Check selected"), permissions=["change"])
    def check_selected(
        self, request: HttpRequest, queryset: QuerySet[ModelProvider]
    ) -> None:
        """Ask each provider whether it works."""
        for provider in queryset.select_related("secret")[:MAX_CHECKS]:
            result = async_to_sync(status.check)(provider)
            status.keep(provider, result, by_hand=True)
            level = messages.SUCCESS if result.is_available else messages.WARNING
            text = f"{provider.name}: {provider.get_status_display()}. {result.message}"
            self.message_user(request, text, level)
        if queryset.count() > MAX_CHECKS:
            text = _("Only the first %d were checked.") % MAX_CHECKS
            self.message_user(request, text, messages.WARNING)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[ModelProvider]) -> None:
        """Let the gateway use the selected providers."""
        self._set_enabled(request, queryset, enabled=True)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ModelProvider]) -> None:
        """Keep the gateway from using the selected providers."""
        self._set_enabled(request, queryset, enabled=False)

    def _set_enabled(
        self, request: HttpRequest, queryset: QuerySet[ModelProvider], enabled: bool
    ) -> None:
        rows = queryset.exclude(enabled=enabled)
        changed = 0
        for provider in rows:
            provider.enabled = enabled
            provider.version += 1
            # Saved one by one: that is what tells the gateway's workers.
            provider.save(update_fields=["enabled", "version", "updated_at"])
            changed += 1
        text = _("%d enabled.") if enabled else _("%d disabled.")
        self.message_user(request, text % changed, messages.SUCCESS)


@admin.register(ProviderModel)
class ProviderModelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What is special about single models; which there are is the provider's to say."""

    list_display = [
        "model_id",
        "provider",
        "upstream_id",
        "input_price",
        "output_price",
        "cached_input_price",
    ]
    list_filter = ["provider__provider_type"]
    list_select_related = ["provider"]
    search_fields = ["model_id", "upstream_id", "provider__name"]
    readonly_fields = ["provider", "model_id"]
    exclude = ["position"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Models are added with their provider."""
        return False


@admin.register(WorkspaceKey)
class WorkspaceKeyAdmin(IssuedKeyAdmin):
    """Keys of the HTTP API."""

    list_display = ["name", "shown", "live", "created_at", "expires_at", "last_used_at"]
    list_filter = ["revoked_at"]
    search_fields = ["name", "last4"]
    readonly_fields = (
        "name",
        "shown",
        "live",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    fields = readonly_fields

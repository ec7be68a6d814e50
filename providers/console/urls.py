"""The Models pages, under /models/."""

from django.urls import path

from providers.console import (
    bulk_views,
    change_views,
    check_views,
    form_views,
    list_views,
    oauth_views,
    registry_views,
    views,
)

urlpatterns = [
    path("", list_views.provider_list, name="provider-list"),
    path("new/", form_views.provider_create, name="provider-create"),
    path("starter/", list_views.starter_create, name="starter-create"),
    # Two words, neither of which a provider's own addresses have second.
    path("list/totals/", list_views.provider_totals, name="provider-totals"),
    path("list/check-all/", bulk_views.check_all, name="provider-check-all"),
    path("list/change/", bulk_views.change, name="provider-change"),
    path("list/removal/", bulk_views.removal, name="provider-removal"),
    path("list/export/", registry_views.registry_export, name="registry-export"),
    path("list/import/", registry_views.registry_import, name="registry-import"),
    path("list/changes/", change_views.provider_changes, name="provider-changes"),
    path("form/fields/", form_views.provider_fields, name="provider-fields"),
    path("form/preview/", form_views.provider_preview, name="provider-preview"),
    path("form/field/", form_views.provider_field, name="provider-field"),
    path("form/test/", check_views.provider_test, name="provider-test"),
    path("form/discover/", check_views.provider_discover, name="provider-discover"),
    path("oauth/callback/", oauth_views.oauth_callback, name="provider-oauth-callback"),
    path("<str:name>/", views.provider_detail, name="provider-detail"),
    path("<str:name>/edit/", form_views.provider_edit, name="provider-edit"),
    path("<str:name>/row/", list_views.provider_row, name="provider-row"),
    path("<str:name>/status/", views.provider_status, name="provider-status"),
    path("<str:name>/check/", check_views.provider_check, name="provider-check"),
    path("<str:name>/decide/", change_views.provider_decide, name="provider-decide"),
    path("<str:name>/toggle/", views.provider_toggle, name="provider-toggle"),
    path("<str:name>/delete/", views.provider_delete, name="provider-delete"),
    path(
        "<str:name>/oauth/start/", oauth_views.oauth_start, name="provider-oauth-start"
    ),
]

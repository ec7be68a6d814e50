"""Where the console's pages are; the gateway's routes are in gateway/entry/urls.py."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView, PasswordChangeView
from django.db import transaction
from django.urls import include, path, reverse_lazy
from django.urls.resolvers import URLPattern, URLResolver
from django.views.generic import RedirectView

from gateway.console import playground
from gateway.console.requests import files as request_files
from gateway.console.requests import views as request_views
from gateway.console.usage import views as usage_views
from runagents import views
from runagents.accounts import people_views
from runagents.accounts import views as account_views
from runagents.audit import views as audit_views
from runagents.connect import views as connect_views
from runagents.reference import views as reference_views
from runagents.settings_pages import body_views
from runagents.settings_pages import views as settings_views

handler400 = "runagents.error_views.bad_request"
handler500 = "runagents.error_views.server_error"

# Not when Django is set up: without pages, nobody needs what the admin says of models.
admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.dashboard, name="dashboard"),
    path("setup/", account_views.set_up, name="set-up"),
    path("login/", account_views.log_in, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("theme/", account_views.set_theme, name="theme"),
    path(
        "password/",
        # The new password and its row in the audit log, or neither.
        transaction.atomic(
            PasswordChangeView.as_view(
                template_name="console/password_change.html",
                success_url=reverse_lazy("dashboard"),
            )
        ),
        name="password-change",
    ),
    path("models/", include("providers.console.urls")),
    path("agents/", include("runagents.agents.urls")),
    path("api/v1/openapi.json", reference_views.openapi),
    path(
        "reference/openapi.json", reference_views.reference_file, name="reference-file"
    ),
    path("reference/", reference_views.reference, name="reference"),
    path("api/v1/", include("runagents.agents.api.urls")),
    path("api/v1/", include("providers.api.urls")),
    # RunAgents' command line leaves the version out.
    path("api/", include("runagents.agents.api.urls")),
    path("api/", include("providers.api.urls")),
    path("connect/", connect_views.connect, name="connect"),
    path("connect/arrival/", connect_views.connect_arrival, name="connect-arrival"),
    path("connect/key/", connect_views.connect_key, name="connect-key"),
    path("playground/", playground.playground, name="playground"),
    path("playground/route/", playground.playground_route, name="playground-route"),
    path("playground/stream/", playground.playground_stream, name="playground-stream"),
    path("usage/", usage_views.usage, name="usage"),
    path("usage/usage.csv", usage_views.usage_csv, name="usage-csv"),
    path("requests/", request_views.request_list, name="request-list"),
    path(
        "requests/requests.<str:kind>", request_files.request_file, name="request-file"
    ),
    path(
        "requests/<str:call_id>/", request_views.request_detail, name="request-detail"
    ),
    path("settings/api-keys/", settings_views.api_key_list, name="api-key-list"),
    path(
        "settings/api-keys/<int:pk>/rotate/",
        settings_views.api_key_rotate,
        name="api-key-rotate",
    ),
    path(
        "settings/api-keys/<int:pk>/", settings_views.api_key_edit, name="api-key-edit"
    ),
    path(
        "settings/api-keys/<int:pk>/pause/",
        settings_views.api_key_pause,
        name="api-key-pause",
    ),
    path(
        "settings/api-keys/<int:pk>/revoke/",
        settings_views.api_key_revoke,
        name="api-key-revoke",
    ),
    path("settings/secrets/", settings_views.secret_list, name="secret-list"),
    path(
        "settings/secrets/<str:name>/",
        settings_views.secret_replace,
        name="secret-replace",
    ),
    path(
        "settings/secrets/<str:name>/delete/",
        settings_views.secret_delete,
        name="secret-delete",
    ),
    path("settings/people/", people_views.user_list, name="user-list"),
    path("settings/people/<int:pk>/role/", people_views.user_role, name="user-role"),
    path("settings/people/<int:pk>/link/", people_views.user_link, name="user-link"),
    path("settings/people/<int:pk>/end/", people_views.user_end, name="user-end"),
    path("join/<str:token>/", people_views.join, name="join"),
    path("settings/audit-log/", audit_views.audit_log, name="audit-log"),
    path("settings/health/", settings_views.health_page, name="health"),
    path("settings/gateway/", settings_views.gateway_settings, name="gateway-settings"),
    path(
        "settings/gateway/bodies/",
        body_views.body_window_create,
        name="body-window-create",
    ),
    path(
        "settings/gateway/bodies/<int:pk>/end/",
        body_views.body_window_end,
        name="body-window-end",
    ),
    # One log-in for all: the admin's own would miss the throttle.
    path(
        "admin/login/",
        RedirectView.as_view(pattern_name="login", query_string=True),
        name="admin-login",
    ),
    path("admin/", admin.site.urls),
]

"""The paths below `/api/v1` that are about the registry.

The last one answers all others: include what other apps add before these.
"""

from django.urls import path, re_path

from providers.api import views

urlpatterns = [
    path("model-providers", views.model_providers),
    path("model-providers/<str:name>", views.model_provider),
    path("model-providers/<str:name>/check", views.model_provider_check),
    path("secrets", views.secrets),
    path("secrets/<str:name>", views.secret),
    path("starter-kit", views.starter_kit),
    path("auth/api-keys", views.api_keys),
    path("auth/api-keys/<int:key_id>", views.api_key),
    path("auth/api-keys/<int:key_id>/rotate", views.api_key_rotate),
    re_path(r"", views.not_found),
]

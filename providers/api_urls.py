"""The paths below `/api/v1` that are about the registry.

The last one answers all others: include what other apps add before these.
"""

from django.urls import path, re_path

from providers import api

urlpatterns = [
    path("model-providers", api.model_providers),
    path("model-providers/<str:name>", api.model_provider),
    path("model-providers/<str:name>/check", api.model_provider_check),
    path("secrets", api.secrets),
    path("secrets/<str:name>", api.secret),
    path("starter-kit", api.starter_kit),
    path("auth/api-keys", api.api_keys),
    path("auth/api-keys/<int:key_id>", api.api_key),
    path("auth/api-keys/<int:key_id>/rotate", api.api_key_rotate),
    re_path(r"", api.not_found),
]

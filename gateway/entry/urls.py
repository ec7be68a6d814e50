"""The gateway's own routes, resolved by the lean handler, not by Django's.

Agents find the chat endpoint under every base URL that RunAgents and OpenAI SDKs make
of it: with and without ``/v1``, below ``/api``, pinned to a provider by ``/p/<name>``,
and with the tail doubled.
"""

from django.urls import path, re_path

from gateway.entry import views
from gateway.entry.handler import endpoint
from gateway.sandbox import views as sandbox

# It begins with any number of `v1/`. Where a pattern said so a second time before it,
# matching a path of nothing else would take the square of its length.
CHAT = r"(?:(?:v1/)*chat/completions/?)+"

urlpatterns = [
    re_path(rf"^(?:api/)?{CHAT}$", views.chat_completions),
    re_path(
        rf"^(?:api/)?(?:v1/)*p/(?P<provider>[^/]+)/{CHAT}$", views.chat_completions
    ),
    re_path(r"^(?:api/)?(?:v1/)+models/?$", views.models),
    re_path(r"^(?:api/)?(?:v1/)+models/(?P<model>.+)$", views.model),
    path("models", views.models),
    path("healthz", views.healthz),
    path("v1/healthz", views.healthz),
    path("readyz", views.readyz),
    # The sandbox is an upstream: it knows its own provider's key and nobody else's.
    path(
        "sandbox/v1/chat/completions",
        endpoint("POST", public=True)(sandbox.sandbox_chat_completions),
    ),
    path("sandbox/v1/models", endpoint("GET", public=True)(sandbox.sandbox_models)),
    path("tools/echo-tool/echo", endpoint("POST")(sandbox.echo)),
]

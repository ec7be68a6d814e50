"""The console's pages with those of the agents."""

from django.urls import include, path

from runagents import urls

urlpatterns = [
    path("agents/", include("runagents.agents.urls")),
    path("api/v1/", include("runagents.agents.api_urls")),
    *urls.urlpatterns,
]

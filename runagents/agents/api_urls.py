"""The paths below `/api/v1` that are about agents; included before the registry's."""

from django.urls import path

from runagents.agents import api

urlpatterns = [
    path("agents", api.agents),
    path("agents/<str:name>", api.agent),
    path("agents/<str:name>/config", api.agent_config),
    path("model-spend", api.model_spend),
]

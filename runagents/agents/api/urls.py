"""The paths below `/api/v1` that are about agents; included before the registry's."""

from django.urls import path

from runagents.agents.api import analysis, views

urlpatterns = [
    path("agents", views.agents),
    path("agents/<str:name>", views.agent),
    path("agents/<str:name>/config", views.agent_config),
    path("analyze", analysis.analyze),
    path("model-spend", views.model_spend),
]

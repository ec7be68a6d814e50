"""Where the Agents pages are, below /agents/."""

from django.urls import path

from runagents.agents import views

urlpatterns = [
    path("", views.agent_list, name="agent-list"),
    path("new/", views.agent_create, name="agent-create"),
    path("new/analyse/", views.agent_analyse, name="agent-analyse"),
    path("deploy-hello-world/", views.hello_world_deploy, name="hello-world-deploy"),
    path("<str:name>/", views.agent_detail, name="agent-detail"),
    path("<str:name>/env/", views.agent_environment, name="agent-environment"),
    path("<str:name>/wires/", views.agent_wire, name="agent-wire"),
    path("<str:name>/run/", views.agent_run, name="agent-run"),
    path("<str:name>/delete/", views.agent_delete, name="agent-delete"),
    path("<str:name>/keys/", views.key_create, name="agent-key-create"),
    path("<str:name>/keys/<int:pk>/rotate/", views.key_rotate, name="agent-key-rotate"),
    path("<str:name>/keys/<int:pk>/revoke/", views.key_revoke, name="agent-key-revoke"),
]

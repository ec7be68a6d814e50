"""Where the Agents pages are, below /agents/."""

from django.urls import path, register_converter

from runagents.agents.console import key_views, views
from runagents.agents.starter import views as starter_views
from runagents.agents.wizard import deploy_views, upload_views, wire_views


class NameConverter:
    """What an agent's name may be made of."""

    regex = "[a-z0-9._-]{1,63}"

    def to_python(self, value: str) -> str:
        """Return the name in a path."""
        return value

    def to_url(self, value: str) -> str:
        """Return the name for a path."""
        return value


register_converter(NameConverter, "agent")

KEY = "<agent:name>/keys/<int:pk>"

urlpatterns = [
    path("", views.agent_list, name="agent-list"),
    path("new/", upload_views.agent_create, name="agent-create"),
    path("new/upload/", upload_views.upload, name="agent-upload"),
    path("new/read/", upload_views.read, name="agent-read"),
    path("new/by-hand/", upload_views.begin_by_hand, name="agent-by-hand"),
    path("new/wire/", wire_views.wire, name="agent-draft-wire"),
    path("new/wire/card/", wire_views.card, name="agent-draft-card"),
    path("new/deploy/", deploy_views.deploy, name="agent-deploy"),
    path("new/discard/", deploy_views.discard, name="agent-draft-delete"),
    path(
        "deploy-hello-world/",
        starter_views.hello_world_deploy,
        name="hello-world-deploy",
    ),
    path("<agent:name>/", views.agent_detail, name="agent-detail"),
    path("<agent:name>/deployed/", deploy_views.deployed, name="agent-deployed"),
    path("<agent:name>/env/", views.agent_environment, name="agent-environment"),
    path("<agent:name>/wires/", views.agent_wire, name="agent-wire"),
    path("<agent:name>/run/", starter_views.agent_run, name="agent-run"),
    path("<agent:name>/delete/", views.agent_delete, name="agent-delete"),
    path("<agent:name>/keys/", key_views.key_create, name="agent-key-create"),
    path(f"{KEY}/", key_views.key_edit, name="agent-key-edit"),
    path(f"{KEY}/rotate/", key_views.key_rotate, name="agent-key-rotate"),
    path(f"{KEY}/pause/", key_views.key_pause, name="agent-key-pause"),
    path(f"{KEY}/revoke/", key_views.key_revoke, name="agent-key-revoke"),
]

"""Where the Agents pages are, below /agents/."""

from django.urls import path, register_converter

from runagents.agents import views
from runagents.agents.wizard import views as wizard_views


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

urlpatterns = [
    path("", views.agent_list, name="agent-list"),
    path("new/", wizard_views.agent_create, name="agent-create"),
    path("new/upload/", wizard_views.upload, name="agent-upload"),
    path("new/read/", wizard_views.read, name="agent-read"),
    path("new/by-hand/", wizard_views.begin_by_hand, name="agent-by-hand"),
    path("new/wire/", wizard_views.wire, name="agent-draft-wire"),
    path("new/wire/card/", wizard_views.card, name="agent-draft-card"),
    path("new/deploy/", wizard_views.deploy, name="agent-deploy"),
    path("new/discard/", wizard_views.discard, name="agent-draft-delete"),
    path("deploy-hello-world/", views.hello_world_deploy, name="hello-world-deploy"),
    path("<agent:name>/", views.agent_detail, name="agent-detail"),
    path("<agent:name>/env/", views.agent_environment, name="agent-environment"),
    path("<agent:name>/wires/", views.agent_wire, name="agent-wire"),
    path("<agent:name>/run/", views.agent_run, name="agent-run"),
    path("<agent:name>/delete/", views.agent_delete, name="agent-delete"),
    path("<agent:name>/keys/", views.key_create, name="agent-key-create"),
    path(
        "<agent:name>/keys/<int:pk>/rotate/", views.key_rotate, name="agent-key-rotate"
    ),
    path(
        "<agent:name>/keys/<int:pk>/revoke/", views.key_revoke, name="agent-key-revoke"
    ),
]

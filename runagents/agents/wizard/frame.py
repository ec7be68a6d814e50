"""What all steps of the wizard share: the draft they are about, and what frames them.

What the wizard knows of an agent is a draft in the database, so that leaving the page
loses nothing.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from runagents.agents.models import Draft
from runagents.agents.wizard import drafts


def draft_of(request: HttpRequest) -> Draft | None:
    """Return the draft that the address names."""
    return Draft.named_by(request.GET.get("draft", ""))


def gone(request: HttpRequest) -> HttpResponse:
    """Leave for the list of agents, since there is no such draft any more."""
    message = _(
        "This draft is deployed or discarded. An agent's key is shown once: if it was "
        "not copied, make a new one on the agent's page."
    )
    messages.info(request, message)
    return redirect("agent-list")


def frame(step: str, draft: Draft | None) -> dict[str, Any]:
    """Return what every page of the wizard shows: its steps and the draft."""
    return {
        "step": step,
        "draft": draft,
        "analysis": drafts.analysis_of(draft) if draft else None,
        "obstacles": drafts.obstacles_of(draft) if draft else [],
    }

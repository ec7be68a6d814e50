"""Deploys the starter agent and runs agents that are built in."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from providers import starter
from runagents import audit, shown_once
from runagents.agents import registration
from runagents.agents.console import tabs
from runagents.agents.models import Agent
from runagents.agents.starter import running
from runagents.agents.starter.running import Run
from runagents.agents.starter.streams import event, event_stream, wants_events


@login_required
@require_POST
def hello_world_deploy(request: HttpRequest) -> HttpResponse:
    """Make the starter kit and the Hello World agent, wired; twice is harmless."""
    agent = registration.deploy_hello_world()
    messages.success(
        request, _("Hello World is deployed and wired. Press Run to see it work.")
    )
    return redirect(agent)


@login_required
@require_POST
async def agent_run(request: HttpRequest, name: str) -> HttpResponseBase:
    """Run a built-in agent as a process and show what it prints, as it prints it."""
    agent = await sync_to_async(get_object_or_404)(
        Agent, name=name, builtin__in=running.SOURCES
    )
    states = running.run(agent, starter.own_address())
    if wants_events(request):
        return event_stream(_told(states, audit.current()))
    run = await running.finish(states)
    await sync_to_async(shown_once.keep)(request, tabs.run_page(agent), run=run)
    return redirect(agent)


async def _told(
    states: AsyncGenerator[Run, None], operation: audit.Operation | None
) -> AsyncGenerator[bytes, None]:
    """Yield the states of a run as events of HTML."""
    with audit.during(operation):
        async with aclosing(states):
            async for run in states:
                yield event(render_to_string("agents/_run.html", {"run": run}))

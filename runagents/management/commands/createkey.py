"""`manage.py createkey`: a key for an agent or for the HTTP API, from a shell."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from providers.models import ProviderModel, WorkspaceKey
from runagents.agents.models import Agent, AgentKey
from runagents.agents.names import check_agent_name


class Command(BaseCommand):
    """Prints a new key, alone, on standard output; all else on standard error."""

    help = "Create a key and print it. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="the agent's name, or the API key's")
        parser.add_argument(
            "--models",
            default="",
            metavar="A,B",
            help="the only model ids this key may use (default: all the agent may)",
        )
        parser.add_argument(
            "--workspace",
            action="store_true",
            help="make a key for /api/v1 instead of an agent's",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the key; raises CommandError, which ends in status 1."""
        models = [part.strip() for part in options["models"].split(",") if part.strip()]
        try:
            with transaction.atomic():
                if options["workspace"]:
                    key = self._workspace_key(options["name"], models)
                else:
                    key = self._agent_key(options["name"], models)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(key)

    def _workspace_key(self, name: str, models: list[str]) -> str:
        if models:
            raise CommandError("--models is for agents' keys, not with --workspace.")
        WorkspaceKey(name=name).full_clean(exclude=["prefix", "last4", "digest"])
        return WorkspaceKey.issue(name).plaintext

    def _agent_key(self, name: str, models: list[str]) -> str:
        agent = Agent.objects.filter(name=name).first()
        if agent is None:
            check_agent_name(name)
            agent = Agent(name=name, access=Agent.Access.ALL)
            agent.full_clean()
            agent.save()
            self.stderr.write(_created(name, models))
        served = ProviderModel.objects.filter(model_id__in=models)
        missing = set(models) - set(served.values_list("model_id", flat=True))
        for model in sorted(missing):
            self.stderr.write(f"No provider serves {model} yet.")
        return AgentKey.issue(agent, models).plaintext


def _created(name: str, models: list[str]) -> str:
    """Say what a new agent's keys reach; this one may reach less."""
    told = f"Created the agent {name}, whose keys may use every model"
    return f"{told}, this one only {', '.join(models)}." if models else f"{told}."

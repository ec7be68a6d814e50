"""`manage.py createkey`: a key for an agent or for the HTTP API, from a shell."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from providers.forms import key_terms
from providers.models import NAME_RULE, WorkspaceKey
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
            help="the only models this key reaches, each as model, provider/model or "
            "provider/* (default: all that its holder may)",
        )
        parser.add_argument(
            "--last-day",
            default="",
            metavar="2030-12-31",
            help="the day at whose end, in UTC, the key ends (default: never)",
        )
        parser.add_argument(
            "--key-name",
            default="",
            metavar="NAME",
            help="what an agent's key is called, such as staging",
        )
        parser.add_argument(
            "--paused",
            action="store_true",
            help="make it refused until it is resumed in the console",
        )
        parser.add_argument(
            "--workspace",
            action="store_true",
            help="make a key for /api/v1 instead of an agent's",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the key; raises CommandError, which ends in status 1."""
        models = [part.strip() for part in options["models"].split(",") if part.strip()]
        day = options["last_day"]
        try:
            with transaction.atomic():
                ends = key_terms.end_of(key_terms.day_of(day)) if day else None
                if options["workspace"]:
                    key = self._workspace_key(options, models, ends)
                else:
                    key = self._agent_key(options, models, ends)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(key)

    def _workspace_key(
        self, options: dict[str, Any], models: list[str], ends: datetime | None
    ) -> str:
        name = options["name"]
        if options["key_name"]:
            raise CommandError("--key-name is for agents' keys, not with --workspace.")
        WorkspaceKey(name=name).full_clean(exclude=["prefix", "last4", "digest"])
        self._warn(models)
        key = WorkspaceKey.issue(name, models, ends)
        if options["paused"]:
            WorkspaceKey.objects.get(digest=key.digest).pause(paused=True)
        return key.plaintext

    def _agent_key(
        self, options: dict[str, Any], models: list[str], ends: datetime | None
    ) -> str:
        name, key_name = options["name"], options["key_name"]
        if key_name:
            NAME_RULE(key_name)
        agent = Agent.objects.filter(name=name).first()
        if agent is None:
            check_agent_name(name)
            agent = Agent(name=name, access=Agent.Access.ALL)
            agent.full_clean()
            agent.save()
            self.stderr.write(_created(name, models))
        self._warn(models)
        key = AgentKey.issue(agent, models, key_name, ends)
        if options["paused"]:
            AgentKey.objects.get(digest=key.digest).pause(paused=True)
        return key.plaintext

    def _warn(self, models: list[str]) -> None:
        """Name what the key is to reach and nobody serves: it may come later."""
        for entry in sorted(set(models)):
            if not key_terms.is_served(entry):
                self.stderr.write(f"No provider serves {entry} yet.")


def _created(name: str, models: list[str]) -> str:
    """Say what a new agent's keys reach; this one may reach less."""
    told = f"Created the agent {name}, whose keys may use every model"
    return f"{told}, this one only {', '.join(models)}." if models else f"{told}."

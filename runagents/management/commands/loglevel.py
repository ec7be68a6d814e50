"""`manage.py loglevel`: what running workers log, from now on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from runagents.serving import telling
from runagents.serving.telling import LEVELS


class Command(BaseCommand):
    """Changes the levels of loggers in all workers of this host."""

    help = (
        "Show or change what running workers log, without a restart. "
        "`gateway.access=INFO` logs a line for each call."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take levels, each for a logger or for all."""
        parser.add_argument(
            "levels",
            nargs="*",
            metavar="[LOGGER=]LEVEL",
            help=f"{', '.join(LEVELS)}, or `default` for as it was at the start",
        )

    def handle(self, *args: Any, levels: list[str], **options: Any) -> None:
        """Write the levels down; raises CommandError for what is none."""
        asked = telling.levels
        wanted = asked.read()
        for each in levels:
            name, _, level = each.rpartition("=")
            if level == "default":
                wanted.pop(name, None)
            elif level.upper() in LEVELS:
                wanted[name] = level.upper()
            else:
                raise CommandError(
                    f"{level!r} is no level. Use {', '.join(LEVELS)} or default."
                )
        try:
            if levels:
                asked.write(wanted)
        except OSError as error:
            raise CommandError(f"{asked.path}: {error.strerror}.") from None
        for name, level in sorted(wanted.items()):
            self.stdout.write(f"{name or 'all'}: {level}")
        if not wanted:
            self.stdout.write("All loggers are as they were at the start.")

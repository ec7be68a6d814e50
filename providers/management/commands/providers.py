"""`manage.py providers`: the registry as code."""

import os
import sys
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.api import registry_files
from providers.api.registry_changes import Change, RegistryFileError
from providers.models.announced import exported

MARKS = {"add": "+", "change": "~", "remove": "-"}


class Command(BaseCommand):
    """Writes the registry to a file, or makes it what a file says."""

    help = "Export the registry of model providers as YAML, or apply such a file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the two subcommands."""
        commands = parser.add_subparsers(dest="action", required=True)
        commands.add_parser("export", help="print the registry; no secrets are in it")
        apply = commands.add_parser("apply", help="make the registry what a file says")
        apply.add_argument("file", help="the YAML file, or - for standard input")
        apply.add_argument(
            "--dry-run", action="store_true", help="only show what would change"
        )
        apply.add_argument(
            "--prune",
            action="store_true",
            help="also delete providers and secrets that the file does not name",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the subcommand; raises CommandError, which ends in status 1."""
        if options["action"] == "export":
            text = registry_files.export()
            exported.send(sender=type(self), what="registry")
            self.stdout.write(text, ending="")
            return
        try:
            # The only place besides the settings that reads the environment: a file
            # names the variables that hold its secrets.
            changes = registry_files.apply(
                _read(options["file"]),
                os.environ,
                dry_run=options["dry_run"],
                prune=options["prune"],
            )
        except RegistryFileError as error:
            count = len(error.problems)
            raise CommandError(
                f"{count} problem{'s' * (count != 1)}, nothing was changed:\n"
                + "\n".join(f"  {problem}" for problem in error.problems)
            ) from None
        for change in changes:
            self.stdout.write(_shown(change))
        self.stdout.write(_summary(changes, options["dry_run"]))


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{name} is not UTF-8 text.") from None


def _shown(change: Change) -> str:
    lines = [f"{MARKS[change.action]} {change.kind} {change.name}"]
    for path, (before, after) in change.fields.items():
        match change.action:
            case "add":
                lines.append(f"    + {path}: {_text(after)}")
            case "remove":
                lines.append(f"    - {path}: {_text(before)}")
            case _ if before is None:
                lines.append(f"    + {path}: {_text(after)}")
            case _ if after is None:
                lines.append(f"    - {path}: {_text(before)}")
            case _:
                lines.append(f"    ~ {path}: {_text(before)} -> {_text(after)}")
    return "\n".join(lines)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _summary(changes: list[Change], dry_run: bool) -> str:
    if not changes:
        return "Nothing to change."
    counts = dict.fromkeys(MARKS, 0)
    for change in changes:
        counts[change.action] += 1
    text = f"{counts['add']} to add, {counts['change']} to change, "
    text += f"{counts['remove']} to remove."
    if not dry_run:
        text = text.replace(" to add", " added").replace(" to change", " changed")
        text = text.replace(" to remove", " removed")
    return text + (" Nothing was changed (--dry-run)." if dry_run else "")

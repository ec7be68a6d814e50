"""The command line: `runagents` where it is installed, `manage.py` in a checkout."""

import gc
import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error as DatabaseError

from runagents.serving import address

ASKING: tuple[list[str], ...] = ([], ["help"], ["--help"], ["-h"])


def program() -> str:
    """Return what to type before a command's name."""
    name = os.path.basename(sys.argv[0])
    return "runagents" if name == "runagents" else "python manage.py"


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
    if sys.argv[1:2] == ["serve"]:
        # What is loaded from here on stays. Looking for garbage amid it, again and
        # again, would take a tenth of the start; gunicorn's `when_ready` goes on.
        gc.disable()
        _make_room()
        address.into_environment(sys.argv[2:])
    try:
        if sys.argv[1:] in ASKING:
            sys.stdout.write(f"{_overview()}\n")
            return
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except DatabaseError as error:
        sys.exit(
            f"The database cannot be used: {str(error).strip()}\n"
            f"A new one is set up by the first `{program()} serve`, or by "
            f"`{program()} migrate`."
        )


def _make_room() -> None:
    """Load what gunicorn makes too much of before all else, and let that go.

    The heads of 16,384 sizes of chunks, 1.8 MB, save half a microsecond of what the
    console sends; without them gunicorn makes the one that it needs. What is loaded
    next lies where they were: 1 MB less than if they went last.
    """
    from gunicorn.asgi import protocol

    protocol._CHUNK_PREFIXES.clear()


def _overview() -> str:
    django.setup()
    from runagents.management.overview import overview

    return overview(program())

#!/usr/bin/env python
"""Django's command line for this project; `serve` is the command to start with."""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error as DatabaseError

ASKING: tuple[list[str], ...] = ([], ["help"], ["--help"], ["-h"])


def _overview() -> str:
    django.setup()
    from runagents.management.overview import overview

    return overview()


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
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
            "A new one is set up by the first `python manage.py serve`, or by "
            "`python manage.py migrate`."
        )


if __name__ == "__main__":
    main()

"""Where the server listens, as the command line of `serve` says it.

The settings read the address, and what follows from it (who needs no key, which hosts
are allowed), when they are loaded: so it has to be in the environment before.
"""

import os
from argparse import ArgumentError, ArgumentParser
from collections.abc import Sequence

VARIABLES = {
    "host": "RUNAGENTS_HOST",
    "port": "RUNAGENTS_PORT",
    "workers": "RUNAGENTS_WORKERS",
}


def into_environment(arguments: Sequence[str]) -> None:
    """Set the variables that the options of `serve` stand for.

    What cannot be read is left to the command's own parser to refuse.
    """
    parser = ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--workers", type=int)
    try:
        asked, _ = parser.parse_known_args(arguments)
    except ArgumentError:
        return
    for option, variable in VARIABLES.items():
        if (value := getattr(asked, option)) is not None:
            os.environ[variable] = str(value)
            # The file would be asked first.
            os.environ.pop(f"{variable}_FILE", None)

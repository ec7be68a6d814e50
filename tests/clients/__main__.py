"""Run every client with every provider, and write the table in docs/conformance.md.

    python -m tests.clients [WORD ...]

Words narrow the clients by name, door or script; then the page stays as it is. Needs
Node.js, and a network where a client is not installed yet. Ends with the number of
failures for which no reason is known.
"""

import argparse
import sys

from tests.clients import page, providers, running
from tests.clients.installing import installed
from tests.clients.table import CLIENTS, Client


def main() -> None:
    """Run the clients; the page is written when all of them ran."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only clients that are about these")
    words = parser.parse_args().words
    chosen = [client for client in CLIENTS if _is_about(client, words)]
    outcomes: dict[Client, running.Failures] = {}
    with providers.running() as gateway:
        for client in chosen:
            outcomes[client] = running.run(client, gateway, installed(client.kind))
            print(f"{client.name} ({client.door}): {_told(client, outcomes[client])}")
    if not words:
        table = page.table(outcomes)
        page.PAGE.write_text(page.with_table(page.PAGE.read_text(), table))
    failed = [x for c, found in outcomes.items() for x in page.unexplained(c, found)]
    sys.exit(min(len(failed), 100))


def _is_about(client: Client, words: list[str]) -> bool:
    text = " ".join((client.name, client.door, *client.script)).lower()
    return not words or any(word.lower() in text for word in words)


def _told(client: Client, failures: running.Failures) -> str:
    failed = page.unexplained(client, failures)
    return "\n  ".join(["", *failed]) if failed else "all right"


if __name__ == "__main__":
    main()

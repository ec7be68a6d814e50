"""The table of clients and providers, within docs/conformance.md."""

from collections.abc import Mapping
from pathlib import Path

from tests.clients.providers import PROVIDERS
from tests.clients.running import Failures
from tests.clients.table import REASONS, Client

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
TITLE = "## Clients and providers"
INTRODUCTION = """\
Written by `make clients`, which installs each client as its lock says into a folder
outside and lets it talk to the gateway as it comes, with every kind of provider behind:
a question whole and streamed, two tools at once whole and streamed, and a structured
answer. Coding agents change a file and read another in one turn. A check mark says that
all of it was right, a dash that nothing makes embeddings there: Anthropic has none, and
Bedrock's are asked by InvokeModel. OpenAI gets the Responses API as it comes, everybody
else a translation.
"""


def with_table(page: str, lines: list[str]) -> str:
    """Return the page with another table, which is its last part."""
    return "\n".join([page.partition(TITLE)[0].rstrip("\n"), "", *lines, ""])


def kept(page: str) -> str:
    """Return the table as it stands on the page, or nothing."""
    _, title, table = page.partition(TITLE)
    return title + table


def table(outcomes: Mapping[Client, Failures]) -> list[str]:
    """Return the lines of the table, and of the reasons below it."""
    notes: list[str] = []
    heads = ["client", "door", *(provider.title for provider in PROVIDERS)]
    lines = [TITLE, "", INTRODUCTION, _row(heads), "|" + " --- |" * len(heads)]
    for client, failures in outcomes.items():
        cells = [_cell(client, each.name, failures, notes) for each in PROVIDERS]
        lines.append(_row([client.name, client.door, *cells]))
    numbered = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return [*lines, "", *numbered] if numbered else lines


def unexplained(client: Client, failures: Failures) -> list[str]:
    """Return what went wrong without a reason that is known."""
    return [
        f"{client.name} ({client.door}), {provider}, {task}: {problem}"
        for provider, tasks in failures.items()
        for task, problem in tasks.items()
        if (client.script[0], provider, task) not in REASONS
    ]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(client: Client, provider: str, failures: Failures, notes: list[str]) -> str:
    """Return what a cell says; a reason that is new is added to `notes`."""
    if provider not in failures:
        return "\N{EN DASH}"
    tasks = failures[provider]
    reasons = [REASONS.get((client.script[0], provider, task)) for task in tasks]
    if None in reasons:
        return f"**FAIL**: {', '.join(tasks)}"
    notes += [each for each in dict.fromkeys(reasons) if each and each not in notes]
    numbers = sorted({notes.index(each) + 1 for each in reasons if each})
    return f"all but {', '.join(map(str, numbers))}" if numbers else "\N{CHECK MARK}"

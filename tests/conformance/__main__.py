"""Run what holds the translation to its promises, and write docs/conformance.md.

    python -m tests.conformance [-n 2]

Needs the recorded traffic beside the repository for the recorded half, and Node.js for
Vercel's SDK. Ends with the exit code of the tests.
"""

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pytest

from tests.clients import page as clients_page
from tests.conformance import columns, promises

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "conformance.md"

SUITES = (
    "tests/gateway/translators/test_translators.py",
    "tests/gateway/translators/test_anthropic_request.py",
    "tests/gateway/translators/test_bedrock.py",
    "tests/gateway/translators/test_bedrock_ids.py",
    "tests/gateway/every_door/test_outcomes.py",
    "tests/gateway/wire/test_eventstream.py",
    "tests/gateway/calls/test_images.py",
    "tests/e2e/test_disconnect.py::test_clients_that_leave_in_mid_stream",
    "tests/e2e/test_sdk.py",
    "tests/e2e/test_sigv4.py",
    "tests/e2e/test_upstream_faults.py::test_a_fault_of_a_whole_answer",
    "tests/conformance",
)

# What this page is made with is imported before pytest starts, whose own part of it
# asserts nothing.
LATE = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")

CLIENTS = {
    "tests/e2e/test_sdk.py": "OpenAI's SDK: synchronous, asynchronous, `.stream()`, "
    "`.parse()`",
    "tests/conformance/test_sdk_conversations.py": "OpenAI's SDK on recorded "
    "conversations: tools, streams, structured output",
    "tests/conformance/test_langchain.py": "LangChain's `ChatOpenAI`: tools, streams, "
    "structured output",
    "tests/conformance/test_vercel.py": "Vercel's AI SDK: tools, streams, structured "
    "output",
}

NOTHING = "\N{EN DASH}"

HEAD = """\
# Conformance

Written by `make conformance` from the results of the tests; not to be edited. A number
is how many tests passed, a dash says that there is nothing to hold.
[translation.md](translation.md) explains the rules themselves.

The exchanges that providers really had are kept apart from this repository. In a clone
without them the tests of `tests/recordings` skip, and those of `tests/conformance` that
ask for recorded answers, requests, streams or conversations; golden cases, SDKs and all
else run. This page was written where the recordings were.
"""


class Results:
    """The outcome of each test, as pytest reports them."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of a test's phases."""
        known = self.outcomes.get(report.nodeid)
        if report.failed or (known != "failed" and report.when == "call"):
            self.outcomes[report.nodeid] = report.outcome
        elif report.skipped and known is None:
            self.outcomes[report.nodeid] = "skipped"

    def apart(self) -> None:
        """Tell the cases of tests that run many at once apart (tests/at_once.py).

        Where one of them fails, none counts.
        """
        for node, outcome in list(self.outcomes.items()):
            for name in _cases_of(node):
                self.outcomes[f"{node}[{name}]"] = outcome

    def cell(self, nodes: Iterable[str]) -> str:
        """Return what a table says of some tests."""
        found = Counter(self.outcomes.get(node, "skipped") for node in nodes)
        if found["failed"]:
            return "**FAIL**"
        if found["passed"]:
            return str(found["passed"])
        return "skipped" if found["skipped"] else NOTHING


def _cases_of(node: str) -> list[str]:
    file, _, name = node.partition("::")
    module = import_module(file.removesuffix(".py").replace("/", "."))
    return [case.name for case in getattr(getattr(module, name, None), "cases", ())]


def main() -> None:
    """Run the tests and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", default="2", help="processes to test with")
    options = parser.parse_args()
    results = Results()
    code = pytest.main(
        ["-q", "-n", options.n, "--dist", "loadfile", "--tb=short", *LATE, *SUITES],
        plugins=[results],
    )
    results.apart()
    table = clients_page.kept(PAGE.read_text())
    PAGE.write_text("\n".join([*page(results), table]))
    print(f"Wrote {PAGE.relative_to(ROOT)}.")
    sys.exit(code)


def page(results: Results) -> list[str]:
    """Return the page's lines."""
    by_case = {case: columns.Nodes() for case in columns.CASES}
    for node in results.outcomes:
        if case := columns.case_of(node):
            for column in columns.columns_of(case, node):
                by_case[case][column].append(node)
    lines = [HEAD]
    lines += ["## Promises", "", *_promises(results, by_case), ""]
    lines += ["## Golden cases", "", *_cases(results, by_case), ""]
    lines += ["## Recorded answers", "", *_recorded(results), ""]
    lines += ["## Recorded requests", "", *_requests(results), ""]
    lines += ["## Damaged streams", "", *_damaged(results), ""]
    lines += ["## Clients", "", *_clients(results), ""]
    return lines


def _table(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]


def _promises(results: Results, by_case: dict[str, columns.Nodes]) -> list[str]:
    lines = _table("no.", "promise", *promises.COLUMNS, "held by other tests")
    for number, title in enumerate(promises.TITLES, 1):
        nodes: dict[str, list[str]] = defaultdict(list)
        for case, ran in by_case.items():
            if columns.number_of(case) == number:
                for column in ran:
                    nodes[column] += ran[column]
        others = []
        for where, holders in promises.ELSEWHERE.get(number, {}).items():
            for holder in holders:
                held = _starting_with(results, holder)
                if holder in by_case:
                    held = [n for each in by_case[holder].values() for n in each]
                assert held, f"promise {number}: nothing ran for {holder}"
                for column in (where,) if isinstance(where, str) else where:
                    nodes[column] += held
                if "::" in holder:
                    others.append(f"`{holder.removeprefix('tests/')}`")
        assert nodes, f"promise {number} is held nowhere"
        cells = [results.cell(nodes[column]) for column in promises.COLUMNS]
        row = [str(number), title, *cells, "<br>".join(dict.fromkeys(others))]
        lines.append(f"| {' | '.join(row)} |")
    return lines


def _starting_with(results: Results, start: str) -> list[str]:
    return [node for node in results.outcomes if node.startswith(start)]


def _cases(results: Results, by_case: dict[str, columns.Nodes]) -> list[str]:
    """Return a row per name; folders of several upstreams share theirs."""
    names: dict[str, list[str]] = defaultdict(list)
    for case in columns.CASES:
        names[case.partition("/")[2]].append(case)
    lines = _table("case", *promises.COLUMNS)
    for name in sorted(names):
        cells = []
        for column in promises.COLUMNS:
            nodes = [node for case in names[name] for node in by_case[case][column]]
            cells.append(results.cell(nodes))
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return lines


def _recorded(results: Results) -> list[str]:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node in results.outcomes:
        if "test_recorded_answers.py" in node and (told := columns.recorded_in(node)):
            operation, kind = told
            found[operation][kind].append(node)
    kinds = ("whole", "streamed", "refused", "of a model that is gone")
    lines = [
        "Answers of real providers, replayed in awkward pieces, through the whole "
        "server to OpenAI's SDK:",
        "",
        *_table("operation", *kinds),
    ]
    for operation in sorted(found):
        cells = [results.cell(found[operation][kind]) for kind in kinds]
        lines.append(f"| {operation} | {' | '.join(cells)} |")
    return lines


def _requests(results: Results) -> list[str]:
    found: dict[str, list[str]] = defaultdict(list)
    for node in results.outcomes:
        if ran := re.search(
            r"fits_another_provider\[([a-z-]+?)-(?=openai|ollama)", node
        ):
            found[ran[1]].append(node)
    lines = [
        "Requests that were really sent to OpenAI and its like, sent to each other "
        "kind of provider. What goes up fits the vendor's own description of its API, "
        "or the request is refused by a rule of docs/translation.md:",
        "",
        *_table("provider", "requests"),
    ]
    return lines + [f"| {name} | {results.cell(found[name])} |" for name in found]


def _damaged(results: Results) -> list[str]:
    lines = [
        "Ten thousand recorded streams per parser, each cut, doubled, reordered or "
        "overwritten somewhere:",
        "",
        *_table("parser", "ends in a defined way"),
    ]
    for node in _starting_with(results, "tests/conformance/test_mutations.py"):
        name = node.partition("[")[2].rstrip("]")
        lines.append(f"| {name} | {results.cell([node])} |")
    return lines


def _clients(results: Results) -> list[str]:
    lines = _table("client", "tests")
    for start, name in CLIENTS.items():
        lines.append(f"| {name} | {results.cell(_starting_with(results, start))} |")
    return lines


if __name__ == "__main__":
    main()

"""The page of conformance is made of tests that are there."""

import pytest

from tests.conformance.__main__ import CLIENTS, ROOT, SUITES, Results
from tests.conformance.columns import case_of
from tests.conformance.promises import ELSEWHERE

HOLDERS = {
    holder
    for columns in ELSEWHERE.values()
    for holders in columns.values()
    for holder in holders
    if "::" in holder
}


@pytest.mark.parametrize("node", sorted({*SUITES, *CLIENTS, *HOLDERS}))
def test_what_holds_a_promise_is_where_the_page_looks_for_it(node):
    path, _, name = node.partition("::")
    assert (ROOT / path).exists()
    if name:
        assert f"def {name}(" in (ROOT / path).read_text()


@pytest.mark.parametrize("node", sorted(HOLDERS))
def test_what_holds_a_promise_runs_for_the_page(node):
    assert node.startswith(SUITES)


def test_cases_of_one_test_count_apart():
    node = "tests/gateway/translators/test_translators.py::test_an_answer_is_parsed"
    case = "ollama/answer_without_counts"
    results = Results()
    results.outcomes = {node: "passed", "tests/test_serve.py::test_other": "passed"}
    results.apart()
    assert [x for x in results.outcomes if case_of(x) == case] == [f"{node}[{case}]"]
    assert results.cell([f"{node}[{case}]"]) == "1"

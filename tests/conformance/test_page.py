"""The page of conformance is made of tests that are there."""

import pytest

from tests.conformance.__main__ import CLIENTS, ROOT, SUITES
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

"""Every promise of reliability has a test, and the page says which."""

from tests.at_once import at_once
from tests.reliability.__main__ import PAGE, page, proofs
from tests.reliability.items import ITEMS


@at_once("item", ITEMS)
def test_a_promise_has_a_test(item):
    assert proofs().get(item)


def test_a_test_proves_what_is_promised():
    assert set(proofs()) <= set(ITEMS)


def test_the_page_is_as_the_tests_are():
    assert PAGE.read_text() == page(), "python -m tests.reliability writes it anew"

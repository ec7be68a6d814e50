"""Cases that run in one test are told as those that run in tests of their own."""

import inspect

import pytest

from tests.at_once import at_once


def names(told: pytest.ExceptionInfo[ExceptionGroup[Exception]]) -> list[str]:
    return [
        line.strip() for line in str(told.value).splitlines()[1:] if line[:2] == "  "
    ]


def test_all_that_fail_are_named_and_nothing_else() -> None:
    seen = []

    @at_once("number", range(5))
    def holds(number: int) -> None:
        seen.append(number)
        assert number in {0, 3}, "odd one"

    with pytest.raises(ExceptionGroup, match="3 of 5 cases failed") as told:
        holds()
    assert seen == [0, 1, 2, 3, 4]
    assert names(told) == ["1", "2", "4"]
    assert [error.__notes__ for error in told.value.exceptions] == [
        ["Case: 1"],
        ["Case: 2"],
        ["Case: 4"],
    ]


def test_several_multiply_and_leave_fixtures_to_pytest() -> None:
    seen = set()

    @at_once("left, right", [(1, 2), pytest.param(3, 4, id="others")])
    @at_once("sign", "+-", ids=lambda sign: f"sign {sign}")
    def holds(server: str, sign: str, left: int, right: int) -> None:
        seen.add((server, sign, left, right))
        assert left < 3

    assert [*inspect.signature(holds).parameters] == ["server"]
    with pytest.raises(ExceptionGroup) as told:
        holds(server="s")
    assert seen == {("s", sign, *both) for sign in "+-" for both in ((1, 2), (3, 4))}
    assert names(told) == ["sign +-others", "sign --others"]


def test_a_mark_stays_where_it_was_put() -> None:
    @at_once("one", [1])
    @pytest.mark.slow
    @at_once("other", [2])
    def holds(one: int, other: int) -> None: ...

    assert [mark.name for mark in vars(holds)["pytestmark"]] == ["slow"]


def test_a_case_that_skips_fails() -> None:
    @at_once("number", [1])
    def holds(number: int) -> None:
        pytest.skip("no reason")

    with pytest.raises(ExceptionGroup, match="1 of 1"):
        holds()


def test_what_pytest_calls_a_failure_is_one_of_many() -> None:
    @at_once("number", [1, 2])
    def holds(number: int) -> None:
        pytest.fail("on purpose")

    with pytest.raises(ExceptionGroup, match="2 of 2"):
        holds()


def test_no_case_at_all_is_told() -> None:
    @at_once("number", [])
    def holds(number: int) -> None: ...

    with pytest.raises(pytest.skip.Exception, match="no cases"):
        holds()

"""Many cases in one test: `at_once`, where `pytest.mark.parametrize` is too dear.

A parameter of pytest costs 3 ms of work wherever it runs, and a fifth of that in each
process that collects it. Of cases that need a tenth of that there are thousands here.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from reprlib import Repr
from typing import Any, NamedTuple

import pytest
from _pytest.mark import ParameterSet

_SHORT = Repr()
_SHORT.maxdict = _SHORT.maxlist = 8
_SHORT.maxstring = _SHORT.maxother = 80
# All that failed are named; so many are shown.
SHOWN = 10

# As `parametrize` takes it.
Ids = Callable[[Any], object] | None


class Case(NamedTuple):
    """What a test is given once, and its name."""

    name: str
    given: dict[str, Any]

    def joined(self, other: "Case") -> "Case":
        """Return what both give."""
        names = filter(None, (self.name, other.name))
        return Case("-".join(names), self.given | other.given)


def at_once(
    names: str | tuple[str, ...], values: Iterable[Any], ids: Ids = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with each of `values`, as `parametrize` does; several multiply.

    All cases run, whichever fail, and a failure names all that did. They share the
    fixtures of the one test, so this is for those that leave nothing behind. None may
    be skipped by itself: nobody would see it.
    """
    fields = names.replace(",", " ").split() if isinstance(names, str) else [*names]
    added = [_case(fields, value, ids) for value in values]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        single = vars(test).get("single", test)
        earlier = vars(test).get("cases", [Case("", {})])
        cases = [one.joined(other) for one in earlier for other in added]

        @wraps(single)
        def test_of_all(**fixtures: Any) -> None:
            __tracebackhide__ = True
            if not cases:
                pytest.skip("there are no cases")
            _run(single, cases, fixtures)

        signature = inspect.signature(test)
        left = [
            each for each in signature.parameters.values() if each.name not in fields
        ]
        more = {"single": single, "cases": cases}
        signature = signature.replace(parameters=left)
        vars(test_of_all).update(vars(test), **more, __signature__=signature)
        return test_of_all

    return decorate


def _case(fields: list[str], value: Any, ids: Ids) -> Case:
    name = None
    if isinstance(value, ParameterSet):
        assert not value.marks, "a case of many has no marks of its own"
        name, values = value.id, value.values
    else:
        values = tuple(value) if len(fields) > 1 else (value,)
    if name is None:
        name = "-".join(str(ids(each)) if ids else _SHORT.repr(each) for each in values)
    return Case(str(name), dict(zip(fields, values, strict=True)))


def _run(
    test: Callable[..., None], cases: list[Case], fixtures: Mapping[str, Any]
) -> None:
    """Run all cases; raises what failed, as one."""
    __tracebackhide__ = True
    failed: list[Exception] = []
    named: list[str] = []
    for case in cases:
        try:
            test(**fixtures, **case.given)
            continue
        except pytest.fail.Exception as error:
            failure: Exception = AssertionError(str(error))
        except pytest.skip.Exception as error:
            failure = AssertionError(f"a case among many skips: {error}")
        except Exception as error:  # noqa: BLE001
            failure = error
        failure.add_note(f"Case: {case.name}")
        failed.append(failure)
        named.append(f"  {case.name}\n")
    if failed:
        told = f"{len(failed)} of {len(cases)} cases failed:\n{''.join(named)}"
        raise ExceptionGroup(told, failed[:SHOWN])

"""What is counted of calls, and how the counts of several workers become one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger import lines
from gateway.metrics.counts import (
    DURATIONS,
    MANY,
    MOST_CALLERS,
    MOST_CAUSES,
    MOST_KINDS,
    OTHER,
    Counts,
    Kind,
)
from gateway.metrics.heaps import TOKENS
from gateway.metrics.shelf import Shelf

ABOUT = {"door": "chat", "provider": "p", "model": "m", "caller": "bot"}
ENDED = {"outcome": "ok", "duration_ms": 700, "first_byte_ms": 40, "input_tokens": 9}
KIND = Kind("chat", "p", "m", "ok", "")


def _counted(*calls):
    counts = Counts()
    for about, ended in calls:
        counts.note({**about, **ended})
    return counts


def test_a_call_is_counted_by_what_it_was():
    ((kind, numbers),) = _counted((ABOUT, ENDED), (ABOUT, ENDED)).items()
    assert kind == KIND
    assert numbers.calls == 2
    assert numbers.tokens[0] == 18
    assert numbers.duration == pytest.approx(1.4)
    assert numbers.durations[DURATIONS.index(1.0)] == 2
    assert sum(numbers.durations) == 2
    assert numbers.first_bytes[0] == 2


def test_what_falls_on_a_bound_is_below_it_and_what_is_longer_than_all_is_counted():
    exact = {**ENDED, "duration_ms": int(DURATIONS[-1] * 1000)}
    longer = {**ENDED, "duration_ms": int(DURATIONS[-1] * 1000) + 1}
    ((_, numbers),) = _counted((ABOUT, exact), (ABOUT, longer)).items()
    assert numbers.durations[-2:] == [1, 1]


def test_a_refused_call_tells_no_model_that_a_client_made_up():
    refused = {
        **{"door": "messages", "model": "no-such-model-1", "caller": "bot"},
        **{"outcome": "refused", "error_code": "model_not_found", "duration_ms": 1},
    }
    ((kind, _),) = _counted(({}, refused)).items()
    assert kind == Kind("messages", "", "", "refused", "model_not_found")


def test_a_row_that_stands_for_several_counts_as_several():
    refused = {"outcome": "refused", "duration_ms": 1, "calls": 40}
    ((_, numbers),) = _counted(({}, refused)).items()
    assert numbers.calls == 40


def test_nothing_that_comes_from_outside_grows_without_bound():
    counts = Counts()
    for n in range(MOST_KINDS + 50):
        ended = {**ENDED, "error_code": f"made-up-{n}"}
        counts.note({**ABOUT, **ended, "model": f"m{n}", "caller": f"bot{n}"})
    kinds = [kind for kind, _ in counts.items()]
    assert len(kinds) == MOST_KINDS + 1
    assert len({kind.cause for kind in kinds}) == MOST_CAUSES + 1
    assert len(counts.callers) == MOST_CALLERS + 1
    assert sum(counts.callers.values()) == MOST_KINDS + 50
    assert counts.callers[OTHER] == MOST_KINDS + 50 - MOST_CALLERS


def test_what_one_dumps_another_adds():
    one = _counted((ABOUT, ENDED))
    other = _counted((ABOUT, ENDED), ({**ABOUT, "model": "n"}, ENDED))
    one.merge(json.loads(json.dumps(other.dump())))
    assert {kind.model: numbers.calls for kind, numbers in one.items()} == {
        "m": 2,
        "n": 1,
    }
    assert one.callers == {"bot": 3}


def test_a_dump_of_another_shape_is_left_out():
    counts = Counts()
    counts.merge({"kinds": [["chat", "p", "m", "ok", "", [1, 2]], ["chat", [1]]]})
    assert list(counts.items()) == []


class TestShelf:
    @staticmethod
    def _worker(folder, name):
        shelf = Shelf(folder)
        shelf.open()
        shelf.put({**_counted((ABOUT, ENDED)).dump(), "worker": {"pid": name}})
        return shelf

    @staticmethod
    def _calls(shelf):
        return sum(numbers.calls for _, numbers in shelf.read()[0].items())

    def test_all_workers_count_and_only_the_living_tell_how_they_are(self, tmp_path):
        one, other = self._worker(tmp_path, "1"), self._worker(tmp_path, "2")
        other.close()
        assert self._calls(one) == 2
        assert one.read()[1] == [{"pid": "1"}]

    def test_the_dead_are_summed_up_once_whenever_it_breaks_off(
        self, tmp_path, monkeypatch
    ):
        one, other = self._worker(tmp_path, "1"), self._worker(tmp_path, "2")
        other.close()
        with monkeypatch.context() as patch:
            # Killed behind the sum, before the file that it holds is deleted.
            patch.setattr(Shelf, "_forget", lambda self, name: None)
            one.sweep()
        assert len(list(tmp_path.glob("*-*.json"))) == 2
        assert self._calls(one) == 2
        one.sweep()
        assert len(list(tmp_path.glob("*-*.json"))) == 1
        assert len(list(tmp_path.glob("*.lock"))) == 1
        assert self._calls(one) == 2
        one.sweep()
        assert self._calls(one) == 2

    def test_a_full_disk_or_garbage_costs_numbers_and_nothing_else(self, tmp_path):
        folder = tmp_path / "file"
        folder.write_text("not a folder")
        shelf = Shelf(folder)
        shelf.open()
        shelf.put({})
        garbled = self._worker(tmp_path, "2")
        next(tmp_path.glob("*-*.json")).write_text("{")
        assert self._calls(garbled) == 0


def test_what_calls_cost_is_told_by_who_stored_them():
    one, other = Counts(), Counts()
    one.costs[("p", "m")] = 0.5
    other.merge(json.loads(json.dumps(one.dump())))
    other.merge(one.dump())
    assert other.costs == {("p", "m"): 1.0}


def _row(fields):
    return lines.row("id", fields)


_CALLS = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(["ok", "refused"]),
        "duration_ms": st.integers(0, 700_000),
    },
    optional={
        "door": st.sampled_from(["chat", "messages"]),
        "provider": st.sampled_from(["", "p", "q"]),
        "model": st.sampled_from(["", "m", "n"]),
        "caller": st.sampled_from(["", "bot", "robot"]),
        "error_code": st.sampled_from(["", "overloaded", "no_such_model"]),
        "first_byte_ms": st.none() | st.integers(0, 70_000),
        "calls": st.none() | st.integers(1, 40),
        **dict.fromkeys(TOKENS, st.none() | st.integers(0, 1000)),
    },
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_CALLS, max_size=12))
def test_rows_that_are_counted_together_come_to_what_each_comes_to(calls):
    each, together = Counts(), Counts()
    for fields in calls:
        each.note(fields)
        together.put_off(_row(fields))
    found, wanted = together.dump(), each.dump()
    numbers = {tuple(kind): counted for *kind, counted in found["kinds"]}
    assert numbers == {
        tuple(kind): pytest.approx(counted) for *kind, counted in wanted["kinds"]
    }
    assert found["callers"] == wanted["callers"]


def test_rows_do_not_wait_without_bound():
    counts = Counts()
    for _ in range(MANY):
        counts.put_off(_row({**ABOUT, **ENDED}))
    assert counts.callers == {"bot": MANY}
    assert counts.dump()["callers"] == {"bot": MANY}


def test_what_waits_is_told():
    counts = Counts()
    counts.put_off(_row({**ABOUT, **ENDED}))
    assert [kind for kind, _ in counts.items()] == [KIND]

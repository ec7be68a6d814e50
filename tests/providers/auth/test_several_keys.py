"""Several keys of one provider: one that is turned away rests."""

import logging

import httpx
import pytest

from providers import auth
from providers.auth import keyed
from providers.models import keys_in
from tests.providers.auth.test_auth import api_key_provider

FIRST, SECOND = "sk-first-0123456789abcdef", "sk-second-0123456789abcde"


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(keyed, "time", clock)
    return clock


def scheme_of(value: str):
    row = api_key_provider()
    row.secret.store({"api_key": value}, row.required_origins())
    return auth.for_provider(row)


def tried(scheme, answers) -> list[str]:
    """Return the keys that are sent, one after the other, for these statuses."""
    flow = scheme.auth_flow(httpx.Request("POST", "http://127.0.0.1:9"))
    request, keys = next(flow), []
    for status, headers in answers:
        keys.append(request.headers["authorization"].removeprefix("Bearer "))
        try:
            request = flow.send(httpx.Response(status, headers=headers))
        except StopIteration:
            return keys
    raise AssertionError("it asks for more")


OK = (200, {})


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        (f"{FIRST},{SECOND}", (FIRST, SECOND)),
        (f"{FIRST},{SECOND},", (FIRST, SECOND)),
        (FIRST, (FIRST,)),
        ("user,password", ("user,password",)),
        (f"{FIRST},x", (f"{FIRST},x",)),
    ],
)
def test_several_keys_have_commas_between(value, keys):
    assert keys_in(value) == keys


def test_the_first_that_does_not_rest_is_sent(clock):
    scheme = scheme_of(f"{FIRST},{SECOND}")
    assert tried(scheme, [OK]) == [FIRST]
    assert tried(scheme, [OK]) == [FIRST]


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [(401, {}, 600), (429, {}, 20), (429, {"retry-after": "90"}, 90)],
)
def test_one_that_is_turned_away_rests(clock, status, headers, seconds):
    scheme = scheme_of(f"{FIRST},{SECOND}")
    assert tried(scheme, [(status, headers), OK]) == [FIRST, SECOND]
    clock.now += seconds - 1
    assert tried(scheme, [OK]) == [SECOND]
    clock.now += 2
    assert tried(scheme, [OK]) == [FIRST]


def test_each_is_tried_once_and_the_last_answer_stands(clock):
    scheme = scheme_of(f"{FIRST},{SECOND}")
    assert tried(scheme, [(429, {}), (429, {})]) == [FIRST, SECOND]
    assert tried(scheme, [OK]) == [FIRST]


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_other_refusals_are_not_the_keys(clock, status):
    scheme = scheme_of(f"{FIRST},{SECOND}")
    assert tried(scheme, [(status, {})]) == [FIRST]
    assert tried(scheme, [OK]) == [FIRST]


def test_one_key_alone_never_rests(clock):
    scheme = scheme_of(FIRST)
    assert tried(scheme, [(429, {})]) == [FIRST]


def test_the_log_names_a_key_by_its_end_alone(clock, caplog):
    with caplog.at_level(logging.WARNING):
        tried(scheme_of(f"{FIRST},{SECOND}"), [(401, {}), OK])
    assert "••••cdef of upstream was answered 401" in caplog.text
    assert FIRST not in caplog.text


def test_keys_that_rest_are_told_by_their_ends_until_they_are_awake(clock):
    keyed._resting.clear()
    tried(scheme_of(f"{FIRST},{SECOND}"), [(401, {}), OK])
    assert keyed.resting() == [("upstream", "cdef", 600)]
    clock.now += 601
    assert keyed.resting() == []

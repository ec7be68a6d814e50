"""Many hosts on a simulated clock: the code of limits and breakers, and no waiting."""

import pytest

from tests.benchmarks.scale import breakers, clock, limits
from tests.benchmarks.scale.breakers import Failure
from tests.benchmarks.scale.fleet import Load, even, uneven
from tests.benchmarks.scale.limits import Trouble

HOSTS, LIMIT = 20, 300
# Half as much again as may pass.
LOAD = Load(1.5 * LIMIT / 60, 150, even(HOSTS))


@pytest.mark.parametrize("shares", [even, uneven])
def test_a_limit_of_many_hosts_is_exact_while_redis_counts(tmp_path, shares):
    load = LOAD._replace(shares=shares(HOSTS))
    found = clock.run(limits.simulate(tmp_path, LIMIT, load, Trouble()))
    # Those who count are as far apart as their ways to Redis.
    assert LIMIT - 2 <= found.most <= LIMIT + 2
    assert found.needless <= 2


def test_without_redis_all_hosts_together_pass_no_more_than_the_limit(tmp_path):
    trouble = Trouble(away_from=0, away_until=1000)
    found = clock.run(limits.simulate(tmp_path, LIMIT, LOAD, trouble))
    assert found.most <= LIMIT


def test_a_restart_of_redis_lets_its_window_pass_once_more(tmp_path):
    trouble = Trouble(away_from=61, away_until=62)
    found = clock.run(limits.simulate(tmp_path, LIMIT, LOAD, trouble))
    assert LIMIT < found.most <= 2 * LIMIT


@pytest.mark.parametrize("is_reached", [True, False])
def test_each_worker_tries_a_failing_provider_so_often_and_then_each_host(
    tmp_path, is_reached, settings
):
    settings.UNAVAILABLE_AFTER = limit = 5
    workers, load = 3, Load(100, 120, even(HOSTS))
    failure = Failure(10, 60, 0.01, is_reached)
    found = clock.run(breakers.simulate(tmp_path, load, workers, failure))
    # After 5, 15, 35 seconds or somewhat earlier; one more may be under way at each.
    trials = 6
    assert found.hits <= HOSTS * (workers * (limit + 1) + trials)
    assert found.refused_when_well > 0
    # The longest pause of a trial before the end.
    assert found.well_again_after[-1] <= 60 * 1.2 + 1

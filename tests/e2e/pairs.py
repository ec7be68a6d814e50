"""Two hosts with one PostgreSQL and one Redis behind nginx."""

import base64
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from tests.e2e import dialects, registries
from tests.e2e.clusters import Cluster
from tests.e2e.loads import Load, at_once
from tests.e2e.processes import PATIENCE, Server, wait_until
from tests.e2e.proxies import Nginx
from tests.e2e.replay import Replay
from tests.redis_server import RedisServer

LIMIT = 60
# As alike as can be: what is left of one, nobody knows.
LIMITED = tuple(f"limited-{number}" for number in range(6))
LIMITS = {
    **dict.fromkeys(LIMITED, LIMIT),
    "narrow": 60,
    "wide": 10_000,
    **dict.fromkeys(("free", "unharmed"), 0),
}
"""Providers, each with a model of its name, and how many calls a minute they take."""
# What a host says whose share alone counts: Redis took longer than it waits for it.
MISSED = "Redis does not count requests"
# How long it then leaves Redis alone, and a little more.
ALONE_SECONDS = 1.5


class Pair(NamedTuple):
    """Two hosts and all that stands around them; `key` is an agent's."""

    hosts: list[Server]
    proxy: Nginx
    cluster: Cluster
    redis: RedisServer
    replay: Replay
    key: str

    def load(self, model: str) -> Load:
        """Call a model through the proxy until left."""
        return Load(self.proxy.url, self.key, model)

    def admitted(self) -> Counter[str]:
        """Make four times as many calls at once as a minute has, and tell how they end.

        On a machine that starves Redis, its hosts go on without it and say so: what
        they admit then is another test's, and the calls are made at another limit.
        """
        ended: Counter[str] = Counter()
        for model in LIMITED:
            ended = at_once(self.proxy.url, self.key, model, 4 * LIMIT)
            if ended["200"] == LIMIT or not any(MISSED in x.log for x in self.hosts):
                break
            time.sleep(ALONE_SECONDS)
        return ended

    def tell(self, what: str, load: Load, **figures: Any) -> None:
        """Print what came of a scenario."""
        counted = {"calls": load.calls, "failed": load.failed, **figures}
        print(f"\n{what}: {counted}")

    def row_per_call(self, model: str, lost: int = 0) -> tuple[int, int]:
        """Return rows of a model and its calls at the upstream, once they agree.

        There may be as many more rows as calls were `lost` on the way to the upstream.
        """
        found = (0, -1)

        def agree() -> bool:
            nonlocal found
            asked = [each for each in self.replay.calls if each.json["model"] == model]
            found = self.count_rows(f"model = '{model}'"), len(asked)
            return len(asked) <= found[0] <= len(asked) + lost

        wait_until(agree, PATIENCE)
        return found

    def count_rows(self, condition: str) -> int:
        """Return how many rows there are of calls that were not refused."""
        asked = "SELECT count(*) FROM gateway_usagerecord WHERE outcome <> 'refused'"
        return int(self.cluster.rows(f"{asked} AND {condition}")[0][0])


@contextmanager
def started(hosts: list[Server]) -> Iterator[None]:
    """Let hosts start beside each other; stop them when it is left."""
    with ExitStack() as stack:
        for each in hosts:
            each.begin_to_start()
            stack.callback(each.stop)
        for each in hosts:
            each.wait_until_ready()
        yield


def environ(cluster: Cluster, redis: RedisServer) -> dict[str, str]:
    """Return the settings that both hosts share."""
    return {
        "DATABASE_URL": cluster.url,
        "REDIS_URL": redis.url,
        "RATE_LIMIT_HOSTS": "2",
        "SECRET_KEY": "shared by both hosts, and long enough for a secret key",
        "ENCRYPTION_KEYS": base64.b64encode(os.urandom(32)).decode(),
        "TRUSTED_PROXIES": "1",
    }


def providers(replay: Replay) -> list[Any]:
    """Let `replay` answer for the providers of LIMITS; return them for a registry."""
    dialects.install(replay)
    return [
        registries.openai(name, replay.url, name, requests_per_minute=limit)
        for name, limit in LIMITS.items()
    ]

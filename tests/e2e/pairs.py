"""Two hosts with one PostgreSQL and one Redis behind nginx."""

import base64
import os
from collections import Counter
from typing import Any, NamedTuple

from tests.e2e import dialects, registries
from tests.e2e.clusters import Cluster
from tests.e2e.loads import Load, at_once
from tests.e2e.processes import Server, wait_until
from tests.e2e.proxies import Nginx
from tests.e2e.replay import Replay
from tests.redis_server import RedisServer

PATIENCE = 15.0
LIMIT = 60
# As alike as can be: what is left of one, nobody knows.
LIMITED = ("limited", "limited-too", "limited-as-well")
LIMITS = {**dict.fromkeys(LIMITED, LIMIT), "narrow": 60, "wide": 10_000, "free": 0}
"""Providers, each with a model of its name, and how many calls a minute they take."""
# What a host says whose share alone counts: Redis took longer than it waits for it.
MISSED = "Redis does not count requests"


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
        return ended

    def tell(self, what: str, load: Load, **figures: Any) -> None:
        """Print what came of a scenario."""
        counted = {"calls": load.calls, "failed": load.failed, **figures}
        print(f"\n{what}: {counted}")

    def row_per_call(self) -> tuple[int, int]:
        """Return rows and calls that reached the upstream, once they agree."""
        asked = "SELECT count(*) FROM gateway_usagerecord WHERE outcome <> 'refused'"
        found = (0, -1)

        def agree() -> bool:
            nonlocal found
            found = self.cluster.rows(asked)[0][0], len(self.replay.calls)
            return found[0] == found[1]

        wait_until(agree, PATIENCE)
        return found


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

"""Two hosts behind nginx, with PostgreSQL and Redis, and what may happen to them.

`-s` prints what was made, what failed and what came late. The tests stand in the order
in which they share the hosts.
"""

import json
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.e2e import pairs, registries
from tests.e2e.clusters import Cluster
from tests.e2e.loads import CLIENTS, at_once
from tests.e2e.pairs import LIMIT, Pair
from tests.e2e.processes import PATIENCE, Server, chat, wait_until
from tests.e2e.proxies import Nginx
from tests.e2e.raw import Connection, request
from tests.e2e.replay import Received, Replay, Reply
from tests.redis_server import RedisServer

STREAMS = 8
DELTA = b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,'
PARTS = [
    DELTA + b'"delta":{"role":"assistant","content":"a"},"finish_reason":null}]}\n\n',
    DELTA + b'"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
STREAM = {"content-type": "text/event-stream"}

REVOKE = "from runagents.agents.models import AgentKey as K; [k.delete() for k in "
REVOKE += "K.objects.filter(agent__name='passing-by')]"
# What a newer version's migration does to tables that this one writes and reads.
NEWER = (
    "ALTER TABLE gateway_usagerecord ADD COLUMN later integer NOT NULL DEFAULT 0",
    "ALTER TABLE providers_modelprovider ADD COLUMN later jsonb",
    "CREATE TABLE gateway_later (id bigint PRIMARY KEY)",
    "UPDATE providers_registryversion SET number = number + 1",
)


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory,
    cluster: Cluster,
    redis: RedisServer,
    replay: Replay,
) -> Iterator[Pair]:
    """Two hosts, each with a data folder and workers of its own."""
    shared = pairs.environ(cluster, redis)
    folders = [tmp_path_factory.mktemp("host") for _ in range(2)]
    hosts = [Server(folder, workers=2, **shared) for folder in folders]
    hosts[0].manage("migrate", "--verbosity", "0")
    hosts[0].apply(
        registries.registry(
            *pairs.providers(replay),
            registries.openai("slow", f"{replay.url}/slow", "slow"),
        )
    )
    key = hosts[0].key("agent", *pairs.LIMITS, "slow")
    proxy = Nginx(tmp_path_factory.mktemp("nginx"), hosts)
    with pairs.started(hosts), proxy:
        yield Pair(hosts, proxy, cluster, redis, replay, key)
    for each in hosts:
        assert not each.failures, each.log


def statuses(pair: Pair, key: str, model: str) -> set[int]:
    """Return how several calls of a key are answered by both hosts."""
    headers = {"authorization": f"Bearer {key}"}
    asked = [each.chat(model, headers=headers) for each in pair.hosts * 4]
    return {each.status_code for each in asked}


@pytest.mark.proves("7.1")
def test_a_limit_is_exact_over_both_hosts(pair):
    ended = pair.admitted()
    print(f"\nlimit of {LIMIT}: {dict(ended)}")
    assert ended == {"200": LIMIT, "429": 3 * LIMIT}


@pytest.mark.proves("2.3")
def test_a_key_revoked_on_one_host_is_refused_on_the_other(pair):
    key = pair.hosts[0].key("passing-by", "wide")
    assert wait_until(lambda: statuses(pair, key, "wide") == {200}, PATIENCE)
    pair.hosts[0].manage("shell", "-v", "0", "-c", REVOKE)
    began = time.monotonic()
    assert wait_until(lambda: statuses(pair, key, "wide") == {401}, PATIENCE)
    print(f"\nrevoked: refused everywhere after {time.monotonic() - began:.2f} s")


@pytest.fixture
def may_end(replay: Replay) -> threading.Event:
    """When it is set, slow streams come to their end."""
    given = threading.Event()

    def slowly(received: Received) -> Reply:
        return Reply(200, PARTS, STREAM, may_end=given.is_set)

    replay.route("/slow", slowly)
    return given


def streams(pair: Pair, host: Server) -> list[Connection]:
    """Begin streams at one host; return them where each has begun to answer."""
    opened = [Connection(host, PATIENCE) for _ in range(STREAMS)]
    for each in opened:
        body = json.dumps({**chat("slow"), "stream": True}).encode()
        each.send(request(host, body, f"Authorization: Bearer {pair.key}"))
    for each in opened:
        each.wait_for(b'"content":"a"')
    return opened


def is_whole(connection: Connection) -> bool:
    """Tell whether a stream comes to its end."""
    try:
        connection.wait_for(b"[DONE]")
    except (EOFError, ConnectionError):
        return False
    return True


@pytest.mark.proves("8.2")
@pytest.mark.proves("10.3")
def test_a_host_that_is_killed_loses_its_own_streams_and_no_row(pair, may_end):
    with pair.load("free") as load:
        living, dying = (streams(pair, each) for each in pair.hosts)
        pair.hosts[1].kill()
        may_end.set()
        assert [is_whole(each) for each in living] == [True] * STREAMS
        assert [is_whole(each) for each in dying] == [False] * STREAMS
        before = load.calls
        assert wait_until(lambda: load.calls > before + 2 * CLIENTS, PATIENCE)
    for each in [*living, *dying]:
        each.socket.close()
    pair.hosts[1].start()
    # It would leave it out for another two seconds, in which the next test may call.
    pair.proxy.leave_out(None)
    # What was under way at the dead host, and nothing that came after.
    failed = sum(load.failed.values())
    assert failed <= CLIENTS
    # Of these, some had not come to the upstream yet.
    rows, calls = pair.row_per_call("free", failed)
    of_streams = pair.row_per_call("slow")
    pair.tell("host killed", load, streams_lost=STREAMS, rows=rows, upstream=calls)
    assert calls <= rows <= calls + failed
    assert of_streams == (2 * STREAMS, 2 * STREAMS)
    interrupted = "outcome = 'interrupted' AND model"
    assert pair.count_rows(f"{interrupted} = 'slow'") == STREAMS
    assert pair.count_rows(f"{interrupted} = 'free'") >= rows - calls


@pytest.mark.proves("9.3")
def test_redis_goes_and_comes_back_and_no_call_fails(pair):
    with pair.load("wide") as load:
        assert wait_until(lambda: load.calls > CLIENTS, PATIENCE)
        pair.redis.stop()
        ended = at_once(pair.proxy.url, pair.key, "narrow", 4 * LIMIT)
        pair.redis.start()
        before = load.calls
        assert wait_until(lambda: load.calls > before + 4 * CLIENTS, PATIENCE)
    pair.tell("redis restarted", load, admitted_of_60_meanwhile=ended["200"])
    assert load.failed == {}
    # Each host its half.
    assert ended == {"200": LIMIT, "429": 3 * LIMIT}


@pytest.mark.proves("9.1")
def test_the_database_goes_and_comes_back_and_no_call_fails(pair):
    with pair.load("unharmed") as load:
        assert wait_until(lambda: load.calls > CLIENTS, PATIENCE)
        pair.cluster.stop()
        before = load.calls
        assert wait_until(lambda: load.calls > before + 8 * CLIENTS, PATIENCE)
        pair.cluster.start()
        before = load.calls
        assert wait_until(lambda: load.calls > before + 4 * CLIENTS, PATIENCE)
    rows, calls = pair.row_per_call("unharmed")
    pair.tell("database restarted", load, rows=rows, upstream=calls)
    assert load.failed == {}
    assert rows == calls


def test_a_newer_schema_beside_this_version_fails_no_call(pair):
    with pair.load("unharmed") as load:
        assert wait_until(lambda: load.calls > CLIENTS, PATIENCE)
        for statement in NEWER:
            with psycopg.connect(pair.cluster.url) as connection:
                connection.execute(statement)
        before = load.calls
        assert wait_until(lambda: load.calls > before + 4 * CLIENTS, PATIENCE)
        # What is written to the newer tables is read by all.
        key = pair.hosts[0].key("newcomer", "wide")
        assert wait_until(lambda: statuses(pair, key, "wide") == {200}, PATIENCE)
    rows, calls = pair.row_per_call("unharmed")
    pair.tell("schema changed", load, rows=rows, upstream=calls)
    assert load.failed == {}
    assert rows == calls
    refused = [host.data / "spool" / "refused.jsonl.bad" for host in pair.hosts]
    assert not any(file.exists() for file in refused)

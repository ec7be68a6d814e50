"""The version before the last change of tables beside this one, and an upgrade between.

`-s` prints what came of it.
"""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e import pairs, registries
from tests.e2e.loads import CLIENTS
from tests.e2e.pairs import LIMIT, Pair
from tests.e2e.processes import PATIENCE, PLAIN, ROOT, Server, wait_until
from tests.e2e.proxies import Nginx

REVOKE = "from runagents.agents.models import AgentKey as K; [k.delete() for k in "
REVOKE += "K.objects.filter(agent__name='passing-by')]"


def git(*words: str) -> str:
    """Return what git says of this checkout; nothing where there is no history."""
    command = ["git", "-C", str(ROOT), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def former_version() -> str:
    """Return the last release, else the commit before tables last got columns."""
    if released := git("describe", "--tags", "--abbrev=0", "--match", "v*"):
        return released
    adding = "--diff-filter=A", "-GAddField|CreateModel", "--format=%H"
    changed = git("log", "-1", *adding, "--", "*/migrations/0*.py")
    return git("rev-parse", "--verify", "--quiet", f"{changed}^") if changed else ""


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the former version."""
    commit = former_version()
    if not commit:
        pytest.skip("the history of this checkout has no former version")
    tree = tmp_path_factory.mktemp("former")
    archive = tree / "tree.tar"
    git("archive", "--output", str(archive), commit)
    subprocess.run(["tar", "-xf", archive, "-C", tree], check=True)
    return tree


@pytest.fixture
def pair(tmp_path, cluster, redis, replay, former):
    """Two hosts that start as the former version."""
    shared = pairs.environ(cluster, redis)
    hosts = [Server(tmp_path / name, workers=2, **shared) for name in ("one", "two")]
    for each in hosts:
        each.data.parent.mkdir()
        each.root = former
    # By its own commands: this version's expect tables that are not there.
    registry = tmp_path / "registry.json"
    providers = pairs.providers(replay)
    spare = registries.openai("spare", replay.url, "spare")
    registry.write_text(json.dumps(registries.registry(*providers, spare)))
    former_command(hosts[0], "migrate", "--verbosity", "0")
    former_command(hosts[0], "providers", "apply", str(registry))
    reach = ",".join(pairs.LIMITS)
    key = former_command(hosts[0], "createkey", "agent", "--models", reach)
    with pairs.started(hosts):
        yield Pair(hosts, None, cluster, redis, replay, key)
    for each in hosts:
        assert not each.failures, each.log


def former_command(host: Server, *words: str) -> str:
    """Run a command of a host's own version and return what it prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=host.root,
        env=host.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def columns(pair: Pair) -> set[tuple[str, str]]:
    """Return all columns of the database's tables."""
    asked = "SELECT table_name, column_name FROM information_schema.columns"
    return set(pair.cluster.rows(f"{asked} WHERE table_schema = 'public'"))


def exchange(proxy: Nginx, host: Server, root: Path) -> None:
    """Take a host out of the balancer, start it as the version in `root`, put it back.

    A connection that is made in the moment of the end would be reset.
    """
    proxy.leave_out(host)
    assert host.stop() == 0
    host.root = root
    host.start()
    proxy.leave_out(None)


def moves_on(load) -> bool:
    """Tell whether calls go on being answered."""
    before = load.calls
    return wait_until(lambda: load.calls > before + 4 * CLIENTS, PATIENCE)


def statuses(pair: Pair, key: str) -> set[int]:
    """Return how several calls of a key are answered by both hosts."""
    headers = {"authorization": f"Bearer {key}"}
    asked = [each.chat("free", headers=headers) for each in pair.hosts * 4]
    return {each.status_code for each in asked}


def deleted(old: Server, new: Server, name: str) -> int:
    """Delete a provider by the former version that this one has looked at.

    Returns the status of the answer.
    """
    key = new.key("ci", workspace=True)
    headers = {"authorization": f"Bearer {key}"}
    path = f"/api/v1/model-providers/{name}"
    options = {"headers": headers, "timeout": PATIENCE, **PLAIN}
    assert httpx.post(f"{new.url}{path}/check", **options).status_code == 200
    return httpx.delete(f"{old.url}{path}", **options).status_code


def test_an_upgrade_host_by_host_fails_no_call(pair, tmp_path_factory):
    old, other = pair.hosts
    before = columns(pair)
    with Nginx(tmp_path_factory.mktemp("nginx"), pair.hosts) as proxy:
        pair = pair._replace(proxy=proxy)
        with pair.load("free") as load:
            assert moves_on(load)
            exchange(proxy, other, ROOT)
            assert moves_on(load)
            added = columns(pair) - before
            admitted = pair.admitted()
            newcomer = other.key("passing-by", "free")
            assert wait_until(lambda: statuses(pair, newcomer) == {200}, PATIENCE)
            other.manage("shell", "-v", "0", "-c", REVOKE)
            assert wait_until(lambda: statuses(pair, newcomer) == {401}, PATIENCE)
            assert deleted(old, other, "spare") == 200
            # As when its machine is started anew: with tables newer than it is.
            exchange(proxy, old, old.root)
            assert moves_on(load)
            exchange(proxy, old, ROOT)
            assert moves_on(load)
    rows, calls = pair.row_per_call("free")
    figures = {"columns": len(added), "rows": rows, "upstream": calls}
    pair.tell("upgrade", load, admitted_of_60=admitted["200"], **figures)
    assert load.failed == {}
    assert added
    assert admitted == {"200": LIMIT, "429": 3 * LIMIT}
    assert rows == calls
    refused = [host.data / "spool" / "refused.jsonl.bad" for host in pair.hosts]
    assert not any(file.exists() for file in refused)

"""What is measured: this gateway, another checkout of it, the floor and peers."""

import json
import os
import shlex
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks import asking, processes
from tests.benchmarks.rows import MODELS, Row
from tests.benchmarks.upstream import LIVE, SMALL
from tests.e2e import registries

ROOT = Path(__file__).resolve().parents[2]
CROWD = 10_000
LIMIT = 300_000
"""Requests per minute of each provider: counted, and never reached."""

_MANY = f"""
from providers import keys
from providers.models import ModelProvider, ProviderModel, RegistryVersion, WorkspaceKey
provider = ModelProvider.objects.first()
issued = []
for n in range({CROWD}):
    issued.append(WorkspaceKey(name="many-%d" % n))
    issued[-1].take(keys.generate(keys.WORKSPACE_PREFIX))
WorkspaceKey.objects.bulk_create(issued)
ProviderModel.objects.bulk_create(
    ProviderModel(provider=provider, model_id="many-%d" % n, position=n + 10)
    for n in range({CROWD})
)
RegistryVersion.bump()
"""


class Target(NamedTuple):
    """A gateway to measure: its name, port, models by kind of row, and headers.

    In headers `{kind}` stands for the kind of upstream, `{upstream}` for its address.
    `settles` is how long its work may go on once calls have ended, in seconds.
    """

    name: str
    port: int
    models: dict[str, str]
    headers: list[str]
    upstream: int
    settles: float = 0.6

    def headers_for(self, row: Row) -> dict[str, str]:
        """Return the headers of the requests of a row."""
        upstream = f"http://127.0.0.1:{self.upstream}"
        found = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json"}
        for header in self.headers:
            name, _, value = header.partition(":")
            value = value.replace("{upstream}", upstream)
            found[name] = value.replace("{kind}", row.upstream).strip()
        return found

    def request(self, row: Row) -> bytes:
        """Return the request of a row as it goes over the wire."""
        body = row.request(self.models[row.kind])
        return asking.request(row.path, body, self.headers_for(row))


def peer(spec: str, upstream: int) -> Target:
    """Return the target of a `--peer` argument: NAME PORT KIND=MODEL... HEADER..."""
    name, port, *rest = shlex.split(spec)
    headers = [part for part in rest if ": " in part]
    models = dict(part.split("=", 1) for part in rest if ": " not in part)
    target = Target(name, int(port), models, headers, upstream)
    processes.pin(processes.tree(target.port))
    return target


class Server:
    """One process tree on the measured core, in a folder of its own."""

    def __init__(self, name: str, folder: Path, root: Path, *command: str) -> None:
        """`command` is what Python runs at `root`; {port} stands for its port."""
        self.name = name
        self.log = folder / f"{name}.log"
        self.port = processes.free_port()
        self.environment = processes.environment(RUNAGENTS_DATA_DIR=str(folder / name))
        self._root = root
        self._python = sys.executable
        if root != ROOT:
            self._python = str(root / ".venv" / "bin" / "python")
        self._command = [part.format(port=self.port) for part in command]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it, wait until it is ready and return the CPU seconds it took."""
        with self.log.open("ab") as log:
            process = self._process = subprocess.Popen(
                [self._python, *self._command],
                cwd=self._root,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=processes.pin_myself,
            )
        try:
            processes.wait_until_answered(self.port, process)
        except TimeoutError as late:
            late.add_note(self.log.read_text(errors="replace"))
            raise
        return processes.cpu_seconds(processes.tree_of({process.pid}), ended=True)

    def stop(self) -> None:
        """End it in order; nothing to do where it does not run."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=90)
            self._process = None

    def run(self, *arguments: str) -> str:
        """Run another command in its environment and return what it prints.

        Raises RuntimeError with what it says when it fails.
        """
        done = subprocess.run(
            [self._python, *arguments],
            cwd=self._root,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()


class Served(NamedTuple):
    """A server of ours, and how it is asked."""

    server: Server
    target: Target


def floor(stack: ExitStack, folder: Path, upstream: int) -> Served:
    """Start the floor: gunicorn with its own asgi worker, asked for any model."""
    command = "-m gunicorn --worker-class asgi --backlog 4096 --no-control-socket"
    command += " --log-level warning --bind 127.0.0.1:{port}"
    command += " tests.benchmarks.floor:application"
    server = Server("floor", folder, ROOT, *command.split())
    server.environment["FLOOR_UPSTREAM"] = f"http://127.0.0.1:{upstream}"
    stack.callback(server.stop)
    server.start()
    kinds = [*MODELS, "messages", "native", "responses"]
    models = {kind: MODELS.get(kind, "model") for kind in kinds}
    return Served(server, Target("floor", server.port, models, [], upstream, 0.3))


def gateway(
    stack: ExitStack,
    name: str,
    folder: Path,
    upstream: int,
    root: Path,
    **environ: str,
) -> Served:
    """Start a checkout of this project with a registry and a key, as operators do.

    `environ` is what it is started with besides.
    """
    server = Server(name, folder, root, "manage.py", "serve", "--port", "{port}")
    server.environment |= {"BENCH_KEY": "sk-of-the-upstream", **environ}
    stack.callback(server.stop)
    server.start()
    try:
        _register(server, folder, _providers(upstream))
    except RuntimeError:
        # An older checkout, which cannot pass requests of the Responses API on.
        _register(server, folder, _providers(upstream)[:-1])
    key = server.run("manage.py", "createkey", "bench")
    time.sleep(2.5)  # until the worker has read the registry again
    kinds = ("openai", "anthropic", "embeddings", "native")
    models = {kind: f"bench-{kind}" for kind in kinds}
    models |= {"messages": "bench-anthropic", "responses": "bench-openai"}
    headers = [f"Authorization: Bearer {key}"]
    return Served(server, Target(name, server.port, models, headers, upstream, 1.2))


def crowd(server: Server) -> None:
    """Add ten thousand models and as many keys to a gateway's registry."""
    server.run("manage.py", "shell", "-v", "0", "-c", _MANY)
    time.sleep(4)


def _register(server: Server, folder: Path, providers: list[dict[str, Any]]) -> None:
    """Apply a file of providers, all of which have the same stored key."""
    keyed = [registries.with_key(each, "bench", prefix="Bearer ") for each in providers]
    whole = registries.registry(*keyed, bench={"api_key": "BENCH_KEY"})
    file = folder / f"{server.name}.yaml"
    file.write_text(json.dumps(whole))  # JSON is YAML
    server.run("manage.py", "providers", "apply", str(file))


def _providers(upstream: int) -> list[dict[str, Any]]:
    """Return a provider with a limit for each kind of upstream."""
    url = f"http://127.0.0.1:{upstream}"
    openai, claude = MODELS["openai"], MODELS["anthropic"]
    options = {"requests_per_minute": LIMIT}
    embeddings = {"id": "bench-embeddings", "upstream_id": MODELS["embeddings"]}
    return [
        registries.openai(
            "bench-openai", url, *_models("openai", openai), embeddings, **options
        ),
        registries.anthropic(
            "bench-anthropic", url, *_models("anthropic", claude), **options
        ),
        registries.openai(
            "bench-native",
            url,
            *_models("native", openai),
            responses_api="on",
            **options,
        ),
    ]


def _models(kind: str, upstream_id: str) -> list[dict[str, str]]:
    return [
        {"id": f"bench-{kind}{flavour}", "upstream_id": upstream_id + flavour}
        for flavour in ("", SMALL, LIVE)
    ]


def version_of(root: Path) -> str:
    """Return the commit of a checkout."""
    found = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or os.path.basename(root)

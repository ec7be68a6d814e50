"""What a call costs the gateway: CPU time of its processes, memory, latency.

    python -m tests.benchmarks [--seconds 8] [--connections 16] [--peer SPEC ...]

Needs `wrk` and `nginx` (Debian: wrk, nginx-light) and Linux's /proc. nginx plays the
upstream because it costs next to nothing; wrk's own time does not count. Everything is
on: agent key, requests-per-minute limit, usage rows.

A peer is another gateway that already listens and calls the same upstream (port 9910
unless --upstream-port says otherwise), measured in the same run, row by row:

    --peer 'other 8801 openai=bench-openai anthropic=bench-anthropic "X-Key: v"'

The version before is measured beside this one where its checkout, with an environment
of its own, is named: --before FOLDER. Every row then has its ratio.

Quote ratios between rows of one run; absolute times depend on the machine's mood.
"""

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import processes
from tests.benchmarks.upstream import ROWS, nginx

CHAT_PATH = "/v1/chat/completions"
PATHS = {"messages": "/v1/messages", "responses": "/v1/responses"}
"""Where a row is asked that names one of these."""

ROOT = Path(__file__).resolve().parents[2]


class Target(NamedTuple):
    """A gateway to measure: its name, port, headers and the model of each row."""

    name: str
    port: int
    models: dict[str, str]
    headers: list[str]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--upstream-port", type=int, default=9910)
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--before", type=Path)
    options = parser.parse_args()
    for tool in ("wrk", "nginx"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed; on Debian: apt install wrk nginx-light")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(nginx(folder, options.upstream_port))
        targets = [*map(_peer, options.peer)]
        for name, root in (("before", options.before), ("ours", ROOT)):
            if root is not None:
                data = folder / name
                data.mkdir()
                served = gateway(name, root, data, options.upstream_port)
                targets.insert(0, stack.enter_context(served))
        print(
            f"{'row':48}{'gateway':12}{'CPU µs/call':>12}{'calls/s':>10}"
            f"{'p50 ms':>9}{'p99 ms':>9}{'MB':>7}{'errors':>8}{'ours is':>9}"
        )
        for row in ROWS:
            _measure_row(row, targets, options)


def _measure_row(row: str, targets: list[Target], options: argparse.Namespace) -> None:
    """Measure every target that has a model for `row`, in turn, and print medians."""
    found: dict[str, list[Result]] = {}
    for _ in range(options.rounds):
        for target in targets:
            if row in target.models:
                result = run(target, row, options.seconds, options.connections)
                found.setdefault(target.name, []).append(result)
    medians = {
        name: sorted(results, key=lambda r: r.cpu)[len(results) // 2]
        for name, results in found.items()
    }
    for name, median in medians.items():
        ratio = medians["ours"].cpu / max(median.cpu, 1e-9)
        print(
            f"{row:48}{name:12}{median.cpu:12.0f}{median.rate:10.0f}"
            f"{median.p50:9.2f}{median.p99:9.2f}{median.memory:7.0f}"
            f"{median.errors:8}{ratio:9.3f}",
            flush=True,
        )


class Result(NamedTuple):
    """One run: CPU microseconds per call, calls per second, milliseconds, megabytes."""

    cpu: float
    rate: float
    p50: float
    p99: float
    memory: float
    errors: int


def run(target: Target, row: str, seconds: int, connections: int) -> Result:
    """Drive one gateway with wrk, after a second of warming up."""
    body: dict[str, object] = {
        "model": target.models[row],
        "max_tokens": 256,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "What is RunAgents?"},
        ],
    }
    if "stream" in row:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if "responses" in row:
        body |= {"input": body.pop("messages"), "store": False}
        body["max_output_tokens"] = 256
        for name in ("max_tokens", "stream_options"):
            body.pop(name, None)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("wrk.method = 'POST'\n")
        script.write(f"wrk.body = [==[{json.dumps(body)}]==]\n")
        for header in ["Content-Type: application/json", *target.headers]:
            name, _, value = header.partition(":")
            script.write(f"wrk.headers['{name}'] = '{value.strip()}'\n")
        script.flush()
        path = next((PATHS[name] for name in PATHS if name in row), CHAT_PATH)
        url = f"http://127.0.0.1:{target.port}{path}"
        _wrk(url, script.name, 1, connections)
        pids = processes.tree(target.port)
        before = processes.cpu_seconds(pids)
        printed = _wrk(url, script.name, seconds, connections)
        spent = processes.cpu_seconds(pids) - before
    calls = int(_found(r"(\d+) requests in", printed))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    return Result(
        cpu=spent / max(calls, 1) * 1e6,
        rate=calls / seconds,
        p50=_milliseconds(_found(r"50%\s+([\d.]+\w+)", printed)),
        p99=_milliseconds(_found(r"99%\s+([\d.]+\w+)", printed)),
        memory=processes.megabytes(pids),
        errors=int(bad.group(1)) if bad else 0,
    )


def _wrk(url: str, script: str, seconds: int, connections: int) -> str:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency"]
    return subprocess.run(
        [*command, "--timeout", "30", "-s", script, url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        sys.exit(f"wrk printed something unexpected:\n{text}")
    return match.group(1)


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def _peer(spec: str) -> Target:
    """Return the target of a `--peer` argument."""
    name, port, *rest = shlex.split(spec)
    models = dict(part.split("=", 1) for part in rest if ":" not in part)
    rows = {
        row: models[row.split()[0].lower()]
        for row in ROWS
        if row.split()[0].lower() in models and "stream" not in row
    }
    return Target(name, int(port), rows, [part for part in rest if ":" in part])


@contextmanager
def gateway(name: str, root: Path, folder: Path, upstream: int) -> Iterator[Target]:
    """Serve the checkout at `root` with providers on the upstream, as operators do."""
    port = processes.free_port()
    environment = processes.environment(RUNAGENTS_DATA_DIR=str(folder / "data"))
    python = root / ".venv" / "bin" / "python"
    manage = [str(python) if root != ROOT else sys.executable, "manage.py"]
    server = subprocess.Popen(
        [*manage, "serve", "--port", str(port)],
        cwd=root,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        processes.wait_until_ready(port)
        registry = folder / "registry.yaml"
        registry.write_text(_registry(upstream))
        for command in (["providers", "apply", str(registry)],):
            subprocess.run(
                [*manage, *command],
                cwd=root,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        key = subprocess.run(
            [*manage, "createkey", "bench"],
            cwd=root,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        time.sleep(2.5)  # until the worker has read the registry again
        models = {row: f"bench-{place}" for place, row in enumerate(ROWS)}
        yield Target(name, port, models, [f"Authorization: Bearer {key}"])
    finally:
        server.terminate()
        server.wait(timeout=90)


def _registry(upstream: int) -> str:
    """Return a registry file with one provider per row."""
    providers = []
    for place, row in enumerate(ROWS):
        kind = row.split()[0].lower()
        stream = "/s" if "stream" in row else ""
        spec: dict[str, object] = {
            "provider": kind,
            "endpoint": f"http://127.0.0.1:{upstream}{stream}",
            "models": [{"id": f"bench-{place}", "upstream_id": "gpt-4o-mini"}],
            "auth": {"type": "None"},
            "rateLimit": {"requestsPerMinute": 1_000_000},
            "options": {"private_network": True},
        }
        if "passed on" in row:
            spec["options"] = {"private_network": True, "responses_api": "on"}
        providers.append({"name": f"bench-{place}", "spec": spec})
    # JSON is YAML.
    return json.dumps({"model_providers": providers})


if __name__ == "__main__":
    main()

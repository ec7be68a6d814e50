"""What the server has loaded before its workers fork: nothing that most never need, and
nothing that is one process's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT

# Each takes 1 to 10 MB, or a twentieth of a second.
HEAVY = [
    "authlib",
    "botocore",
    "genai_prices",
    "markdown_it",
    "nh3",
    "platformdirs",
    "providers.migrations.0001_initial",
    "psycopg",
    "pydantic",
    "redis",
    "yaml",
]

# What pages of the console need, or come from.
PAGES = [
    "django.contrib.auth.forms",
    "providers.admin",
    "providers.forms",
    "runagents.urls",
    "servestatic",
    "tree_sitter",
]

LOAD = """
import asyncio, json, os, sys, threading
import django
django.setup()
from runagents.management.commands import serve

class Started(serve.Command):
    def handle(self, **options):
        serve.is_migrated(serve.connection)
        serve.Served().load()

Started().run_from_argv(["manage.py", "serve"])
from gateway.worker.registry import registry
from gateway.worker.runtime import runtime

found = {
    "threads": threading.active_count(),
    "files": [os.readlink(f"/proc/self/fd/{file}") for file in range(3, 64)
              if os.path.exists(f"/proc/self/fd/{file}")],
}

def name_of_spool():
    out, into = os.pipe()
    if not os.fork():
        runtime.spool.write({})
        for file in runtime.spool.folder.glob(f"{os.getpid()}.*.jsonl"):
            os.write(into, file.name.encode())
        os._exit(0)
    os.close(into)
    os.wait()
    return os.read(out, 1000).decode()

found["spools"] = [name_of_spool(), name_of_spool()]

async def run():
    await runtime.start()
    found["modules"] = sorted(sys.modules)
    chores = runtime.flush, registry.refresh
    await asyncio.gather(*(chore() for chore in chores * 3))
    others = set(threading.enumerate()) - {threading.main_thread()}
    found["chores"] = sorted(thread.name for thread in others)
    await runtime.stop()

asyncio.run(run())
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a process has that serves, and what two forked from it write to."""
    return started(tmp_path_factory.mktemp("data"))


def started(folder: Path, **environ: str) -> dict[str, list[str]]:
    """Start as `serve` does, with `folder` for its data."""
    environ |= {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "runagents.settings",
        "RUNAGENTS_DATA_DIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", HEAVY)
def test_what_most_servers_never_need_is_not_loaded(loaded, name):
    assert name not in loaded["modules"]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_not_loaded_before_somebody_looks_at_one(loaded, name):
    assert name not in loaded["modules"]


def test_several_workers_have_the_pages_in_common(tmp_path):
    found = started(tmp_path, RUNAGENTS_WORKERS="2")
    assert set(PAGES) <= set(found["modules"])


def test_no_thread_and_no_open_file_is_passed_on_to_the_workers(loaded):
    assert loaded["threads"] == 1
    assert loaded["files"] == []


def test_each_worker_has_a_spool_of_its_own(loaded):
    first, second = (Path(name).stem.rpartition("-")[0] for name in loaded["spools"])
    assert first.partition(".")[0] != second.partition(".")[0]
    assert first.partition(".")[2] != second.partition(".")[2]


def test_each_chore_keeps_to_one_thread_and_its_connection(loaded):
    assert loaded["chores"] == ["read-registry_0", "store-usage_0"]

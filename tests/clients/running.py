"""Run a client's script, and judge what it tells."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

from tests.clients.installing import HERE, Installed
from tests.clients.providers import PROVIDERS, Gateway
from tests.clients.table import Client

RUN_SECONDS = 300

SAID = "You said: What is the weather?"
WEATHER = "Paris: 18 degrees. Rome: 24 degrees."
VECTORS = [[1.0, 0.5], [2.0, 0.5]]

EXPECTED: dict[str, Callable[[Any], bool]] = {
    "plain": lambda got: got == SAID,
    "streamed": lambda got: len(got) > 1 and "".join(got) == SAID,
    "tools": lambda got: got == WEATHER,
    "streamed_tools": lambda got: got == WEATHER,
    "structured": lambda got: got == {"city": "Paris", "degrees": 18},
    "edit": lambda got: got == "Sun, 24 degrees",
    "embeddings": lambda got: got == VECTORS,
}
"""What a task is to get, as the upstream answers it."""

Failures = dict[str, dict[str, str]]
"""What went wrong by provider and task; a provider without is all right."""


def models_for(client: Client) -> dict[str, str]:
    """Return the model that a client asks, for each provider that has one."""
    models = {p.name: p.embedding if client.embeds else p.chat for p in PROVIDERS}
    return {name: model for name, model in models.items() if model}


def run(client: Client, gateway: Gateway, installed: Installed) -> Failures:
    """Run a client with every provider and return what went wrong."""
    script, *arguments = client.script
    done = subprocess.run(
        [installed.program, str(installed.scripts / script), *arguments],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(HERE / "python"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GATEWAY_URL": gateway.url,
            "GATEWAY_KEY": gateway.key,
            **installed.environ,
        },
        input=json.dumps(models_for(client)),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"]
    return judge(client, told, done.stderr[-500:])


def judge(client: Client, told: list[dict[str, Any]], complaint: str) -> Failures:
    """Return what went wrong; a task of which nothing was told went wrong, too."""
    outcomes = {(each["provider"], each["task"]): each for each in told}
    failures: Failures = {name: {} for name in models_for(client)}
    for name, found in failures.items():
        for task in client.tasks:
            outcome = outcomes.get((name, task), {"error": f"nothing: {complaint}"})
            if "error" in outcome:
                found[task] = outcome["error"]
            elif not EXPECTED[task](outcome["got"]):
                found[task] = f"got {outcome['got']!r}"
    return failures

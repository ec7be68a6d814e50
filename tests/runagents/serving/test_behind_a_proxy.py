"""Calls without a key are off where a proxy is, unless they are switched on by name."""

import os
import subprocess
import sys

import pytest

SHOW = "from runagents import settings; print(settings.GATEWAY_TRUSTED_NETWORKS)"


def networks(tmp_path, **environ: str) -> str:
    """Return what a server with these variables trusts."""
    plain = {"PATH": os.environ["PATH"], "RUNAGENTS_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**plain, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_server_on_loopback_trusts_the_machine(tmp_path):
    assert "127.0.0.0/8" in networks(tmp_path)


@pytest.mark.parametrize(
    "environ",
    [
        {"PUBLIC_URL": "https://models.example.com"},
        {"TRUSTED_PROXIES": "1"},
        {"ALLOWED_HOSTS": "models.example.com"},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_what_tells_of_a_proxy_asks_everybody_for_a_key(tmp_path, environ):
    assert networks(tmp_path, **environ) == "[]"
    named = {**environ, "GATEWAY_TRUSTED_NETWORKS": "127.0.0.0/8"}
    assert networks(tmp_path, **named) == "['127.0.0.0/8']"

"""Calls without a key are off where a proxy is, unless they are switched on by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

ROOT = Path(__file__).resolve().parents[3]
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


@pytest.mark.proves("11.4")
def test_django_finds_nothing_to_say_against_a_deployment(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "RUNAGENTS_DATA_DIR": str(tmp_path),
            "PUBLIC_URL": "https://models.example.com",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.proves("11.4")
def test_pages_carry_what_browsers_hold_them_to(client: Client, db, settings):
    settings.SECURE_HSTS_SECONDS = 3600
    page = client.get("/login/", secure=True)
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Strict-Transport-Security"].startswith("max-age=3600")
    assert page["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/requests/", "/requests/x/", "/models/new/"])
def test_no_cache_keeps_a_page(logged_in_client: Client, path):
    assert "no-store" in logged_in_client.get(path)["Cache-Control"]

"""Where `serve` is asked to listen is known before the settings are read."""

import os

import pytest
from django.core.management import CommandError, call_command

from runagents.serving import address


@pytest.fixture
def environ(monkeypatch):
    """An environment with nothing of the server's."""
    for name in address.VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    yield os.environ
    for name in address.VARIABLES.values():
        os.environ.pop(name, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "0.0.0.0", "--port", "8001", "--workers", "2"],
        ["--host=0.0.0.0", "-v", "0", "--port=8001", "--workers=2", "--traceback"],
        ["--ho", "0.0.0.0", "--port", "08001", "--work=2"],
    ],
)
def test_options_are_set_as_the_variables_they_stand_for(environ, arguments):
    address.into_environment(arguments)
    assert [environ.get(name) for name in address.VARIABLES.values()] == [
        "0.0.0.0",
        "8001",
        "2",
    ]


def test_what_is_not_asked_for_stays_as_it_is(environ):
    environ["RUNAGENTS_PORT"] = "9000"
    address.into_environment(["--workers", "2"])
    assert environ["RUNAGENTS_PORT"] == "9000"
    assert "RUNAGENTS_HOST" not in environ


def test_an_option_counts_more_than_a_file(environ):
    environ["RUNAGENTS_PORT_FILE"] = "/nowhere"
    address.into_environment(["--port", "8001"])
    assert "RUNAGENTS_PORT_FILE" not in environ


@pytest.mark.parametrize("arguments", [["--port", "abc"], ["--port"], ["nonsense"]])
def test_what_cannot_be_read_is_left_to_the_command(environ, arguments):
    address.into_environment(arguments)
    assert not set(address.VARIABLES.values()) & set(environ)


def test_an_address_that_the_settings_do_not_know_is_refused(settings):
    settings.LISTEN_HOST = "127.0.0.1"
    with pytest.raises(CommandError, match="in full"):
        call_command("serve", host="0.0.0.0")

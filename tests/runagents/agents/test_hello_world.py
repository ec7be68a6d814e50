"""The Hello World agent runs as a process and says what went wrong."""

import subprocess
import sys
from contextlib import aclosing
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync

from runagents.agents.models import AgentKey
from runagents.agents.registration import deploy_hello_world
from runagents.agents.starter import hello_world, running
from runagents.agents.wiring import Connection, environment

SOURCE = running.SOURCES["hello-world"]
CHAT = Connection("default", "openai", "openai", "gpt-4o-mini")


def its_environment(base_url, **options):
    return environment("a", [CHAT], base_url, tools=["echo-tool"], **options)


def run_with(values):
    return subprocess.run(
        [sys.executable, "-I", SOURCE], env=values, capture_output=True, text=True
    )


def test_it_prints_both_replies(edge):
    done = run_with(its_environment(edge.url))
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Echo tool replied: Echo: hello",
        "Model replied: An answer.",
    ]


def test_it_sends_no_authorization_when_the_platform_manages_the_key(edge):
    run_with(its_environment(edge.url))
    assert [path for path, _, _ in edge.asked] == [
        "/tools/echo-tool/echo",
        "/v1/chat/completions",
    ]
    assert all("Authorization" not in headers for _, headers, _ in edge.asked)


def test_it_sends_its_key_and_its_model(edge):
    run_with(its_environment(edge.url, key="ra_ag_key"))
    _, headers, body = edge.asked[1]
    assert headers["Authorization"] == "Bearer ra_ag_key"
    assert body["model"] == "gpt-4o-mini"
    assert body["messages"][-1]["role"] == "user"


def test_it_names_a_missing_variable():
    done = run_with({})
    assert done.returncode == 1
    assert "TOOL_URL_ECHO_TOOL is not set" in done.stderr


def test_it_tells_the_gateways_message(edge):
    error = {"error": {"message": 'no provider found for model "gpt-4o-mini"'}}
    edge.answers["/v1/chat/completions"] = (404, error)
    done = run_with(its_environment(edge.url))
    assert done.returncode == 1
    assert '404: no provider found for model "gpt-4o-mini"' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("answer", [b"<html>", {"choices": []}, []])
def test_it_survives_an_answer_that_makes_no_sense(edge, answer):
    edge.answers["/v1/chat/completions"] = (200, answer)
    done = run_with(its_environment(edge.url))
    assert done.returncode == 1
    assert done.stderr.startswith("Failed: ")


def test_it_says_that_the_gateway_cannot_be_reached():
    done = run_with(its_environment("http://127.0.0.1:9"))
    assert done.returncode == 1
    assert "http://127.0.0.1:9/tools/echo-tool/echo cannot be reached" in done.stderr


NO_KEY = (401, {"error": {"message": "no key"}})


@pytest.fixture
def impatient(edge, monkeypatch):
    """Runs the agent here, which waits for its key; with the time of the test."""
    for name, value in its_environment(edge.url).items():
        monkeypatch.setenv(name, value)
    clock = SimpleNamespace(now=0.0, waits=0)

    def sleep(seconds):
        clock.now += seconds
        clock.waits += 1
        if clock.waits == clock.known_after:
            edge.answers["/tools/echo-tool/echo"] = known

    known = edge.answers["/tools/echo-tool/echo"]
    edge.answers["/tools/echo-tool/echo"] = NO_KEY
    own = SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep)
    monkeypatch.setattr(hello_world, "time", own)

    def run(known_after=0):
        clock.known_after = known_after
        return hello_world.main()

    return run


def test_it_waits_until_its_new_key_is_known(edge, impatient):
    assert impatient(known_after=3) == 0
    paths = [path for path, _, _ in edge.asked]
    assert paths == ["/tools/echo-tool/echo"] * 4 + ["/v1/chat/completions"]


def test_it_does_not_wait_for_ever_for_its_key(edge, impatient, capsys):
    assert impatient() == 1
    assert 2 < len(edge.asked) < 100
    assert "401: no key" in capsys.readouterr().err


# --- running it from the console ---


def run_of(states):
    """Return the last state of a run."""
    return async_to_sync(running.finish)(states)


@pytest.mark.django_db
def test_a_run_uses_a_key_of_its_own_and_takes_it_back(edge):
    result = run_of(running.run(deploy_hello_world(), edge.url))
    assert result.succeeded
    assert "Model replied: An answer." in result.output
    assert edge.asked[0][1]["Authorization"].startswith("Bearer ra_ag_")
    assert not AgentKey.objects.exists()


@pytest.mark.django_db
def test_a_run_of_another_agent_is_refused(edge):
    agent = deploy_hello_world()
    agent.builtin = ""
    with pytest.raises(ValueError, match="not a built-in agent"):
        run_of(running.run(agent, edge.url))


def test_the_process_sees_its_environment_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    source = tmp_path / "agent.py"
    source.write_text("import os; print(sorted(os.environ))")
    result = run_of(running.execute(source, {"AGENT_NAME": "a"}, 100))
    # CPython itself adds LC_CTYPE where no locale is set (PEP 538).
    assert result.output.strip() in ("['AGENT_NAME']", "['AGENT_NAME', 'LC_CTYPE']")


def test_a_run_that_takes_too_long_is_stopped(tmp_path, monkeypatch):
    source = tmp_path / "agent.py"
    source.write_text("print('begun', flush=True)\nwhile True: pass")
    clock = SimpleNamespace(now=0.0)
    own = SimpleNamespace(monotonic=lambda: clock.now)
    monkeypatch.setattr(running, "time", own)

    async def stopped():
        async for state in running.execute(source, {}, 60):
            if state.output:
                clock.now = 61
        return state

    result = async_to_sync(stopped)()
    assert result.timed_out
    assert not result.succeeded
    assert "begun" in result.output


def test_output_is_bounded(tmp_path):
    source = tmp_path / "agent.py"
    source.write_text("while True: print('x' * 1000)")
    result = run_of(running.execute(source, {}, 100))
    assert len(result.output) < running.MAX_OUTPUT + 100
    assert "[cut after 64 KiB]" in result.output
    assert not result.timed_out


def test_keys_are_not_shown(tmp_path):
    source = tmp_path / "agent.py"
    source.write_text("import os; print(os.environ['OPENAI_API_KEY'], 'sk-abcdefgh12')")
    key = "ra_ag_abcdefghijklmnopqrstuvwxyz"
    result = run_of(running.execute(source, {"OPENAI_API_KEY": key}, 100))
    assert result.output.strip() == "[redacted] [redacted]"


def test_what_is_printed_is_told_while_it_runs(tmp_path):
    source = tmp_path / "agent.py"
    source.write_text(
        "import sys, time\nprint('one', flush=True)\n"
        "while not sys.stdin.closed: time.sleep(0.05)"
    )

    async def first():
        async with aclosing(running.execute(source, {}, 100)) as states:
            # The first say nothing where Python takes long to start.
            return await anext(state async for state in states if state.output)

    state = async_to_sync(first)()
    assert state.is_running
    assert state.output == "one\n"


def test_half_a_key_is_not_told(tmp_path):
    source, go_on = tmp_path / "agent.py", tmp_path / "go-on"
    source.write_text(
        "import pathlib, sys, time\n"
        "sys.stdout.write('a\\nra_ag_abcd')\nsys.stdout.flush()\n"
        f"while not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.05)\n"
        "print('efghijklmnopqrstuvwxyz')"
    )

    async def outputs():
        found = []
        async for state in running.execute(source, {}, 100):
            found.append(state.output)
            if state.output:
                go_on.touch()
        return found

    told = [each for each in async_to_sync(outputs)() if each]
    assert list(dict.fromkeys(told)) == ["a\n", "a\n[redacted]\n"]

"""The main process of one worker: it sleeps, wakes up where it has to, and stops."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e import registries
from tests.e2e.processes import PLAIN, START_SECONDS, Server, wait_until
from tests.e2e.replay import Replay

WAKE_SECONDS = START_SECONDS
MOST_KILOBYTES = 8 * 1024


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """One worker, which serves."""
    return server(registries.registry(registries.openai("good", replay.url, "good")))


def is_asleep(gateway: Server) -> bool:
    """Tell whether the main process is the program that waits."""
    command = Path(f"/proc/{gateway.pid}/cmdline").read_bytes()
    return b"keeper/program.py" in command


def is_answered(gateway: Server) -> bool:
    """Tell whether a call is answered; it may wait for a worker that starts."""
    url = f"{gateway.url}/healthz"
    return httpx.get(url, timeout=START_SECONDS, **PLAIN).status_code == 200


def fall_asleep(gateway: Server) -> int:
    """Wait until it sleeps; returns its worker."""
    assert wait_until(lambda: is_asleep(gateway), WAKE_SECONDS), gateway.log
    [worker] = gateway.worker_pids()
    return worker


def is_replaced(gateway: Server, worker: int) -> bool:
    """Tell whether there is one worker, and another."""
    return len(gateway.worker_pids()) == 1 and worker not in gateway.worker_pids()


def test_the_main_process_takes_little_and_tells_that_a_server_runs(gateway):
    fall_asleep(gateway)
    about = Path(f"/proc/{gateway.pid}/smaps_rollup").read_text()
    [kilobytes] = re.findall(r"^Anonymous: +(\d+)", about, re.M)
    assert int(kilobytes) < MOST_KILOBYTES
    files = Path(f"/proc/{gateway.pid}/fd").iterdir()
    assert any(os.readlink(file).endswith("/server.lock") for file in files)


@pytest.mark.proves("10.3")
def test_a_worker_that_is_killed_is_replaced_each_time(gateway):
    for _ in range(2):
        worker = fall_asleep(gateway)
        os.kill(worker, signal.SIGKILL)
        # Whoever connects meanwhile waits.
        assert is_answered(gateway)
        assert is_replaced(gateway, worker)
        assert f"Worker (pid:{worker}) was sent SIGKILL!" in gateway.log
    fall_asleep(gateway)


def test_what_a_newer_version_needs_is_there_before_its_worker_is(gateway):
    """It may have been installed while the main process slept."""
    worker = fall_asleep(gateway)
    stamp = gateway.data / "static" / ".stamp"
    stamp.write_text("another version's")
    gateway.manage("migrate", "runagents", "0003")
    os.kill(worker, signal.SIGKILL)
    assert is_answered(gateway)
    assert "No planned migration" in gateway.manage("migrate", "--plan")
    assert stamp.read_text() != "another version's"
    fall_asleep(gateway)


@pytest.mark.proves("10.3")
def test_a_worker_that_hangs_is_replaced(gateway):
    worker = fall_asleep(gateway)
    os.kill(worker, signal.SIGSTOP)
    files = Path(f"/proc/{worker}/fd").iterdir()
    [heartbeat] = [file for file in files if "wgunicorn" in os.readlink(file)]
    # As if it had been silent since the machine started.
    os.utime(heartbeat, (0, 0))
    assert wait_until(lambda: is_replaced(gateway, worker), WAKE_SECONDS), gateway.log
    assert f"WORKER TIMEOUT (pid:{worker})" in gateway.log
    assert is_answered(gateway)
    fall_asleep(gateway)


def test_a_reload_replaces_the_worker(gateway):
    worker = fall_asleep(gateway)
    os.kill(gateway.pid, signal.SIGHUP)
    assert wait_until(lambda: is_replaced(gateway, worker), WAKE_SECONDS), gateway.log
    assert is_answered(gateway)
    fall_asleep(gateway)


def test_another_main_process_takes_no_worker_over(gateway):
    """SIGUSR2 has gunicorn start one; here it finds that the address is taken."""
    worker = fall_asleep(gateway)
    os.kill(gateway.pid, signal.SIGUSR2)
    assert wait_until(lambda: "Cannot listen on" in gateway.log, WAKE_SECONDS)
    fall_asleep(gateway)
    assert gateway.worker_pids() == [worker]


def test_it_does_not_sleep_while_there_are_more_workers(gateway):
    fall_asleep(gateway)
    os.kill(gateway.pid, signal.SIGTTIN)
    assert wait_until(lambda: len(gateway.worker_pids()) == 2, WAKE_SECONDS)
    time.sleep(2)
    assert not is_asleep(gateway)
    os.kill(gateway.pid, signal.SIGTTOU)
    fall_asleep(gateway)


@pytest.mark.parametrize("sent", ["SIGTERM", "SIGINT", "SIGQUIT"])
@pytest.mark.parametrize("seconds", [0, 0.05, 0.1, 0.2, 0.4])
def test_a_signal_to_stop_is_heard_while_it_falls_asleep(
    tmp_path, installation, sent, seconds
):
    made = Server(tmp_path)
    made.adopt(installation)
    made.begin_to_start()
    while not made.worker_pids():
        time.sleep(0.002)
    time.sleep(seconds)
    [worker] = made.worker_pids()
    assert made.stop(signal.Signals[sent]) == 0
    assert not Path(f"/proc/{worker}").exists()
    assert "Traceback" not in made.log

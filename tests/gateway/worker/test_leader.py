"""One process of a host leads, whoever else wants to."""

import os
import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gateway.worker.leader import Leadership

SECONDS = 30


def contend(path: Path, parent: Connection) -> None:
    """Try to lead whenever told to, and tell whether it is so, until killed."""
    leadership = Leadership(path)
    while True:
        parent.recv()
        parent.send(leadership.acquire())


@pytest.fixture
def crowd(tmp_path):
    """Processes that want to lead, by the pipe that each is asked through."""
    context = get_context("fork")
    found = {}
    for _ in range(6):
        ours, theirs = context.Pipe()
        process = context.Process(target=contend, args=(tmp_path / "leader", theirs))
        process.start()
        found[process] = ours
    yield found
    for process in found:
        process.kill()
        process.join(SECONDS)


def leaders(crowd):
    """Ask all at once; return who leads."""
    for pipe in crowd.values():
        pipe.send("now")
    told = {
        process: pipe.poll(SECONDS) and pipe.recv() for process, pipe in crowd.items()
    }
    return [process for process, leads in told.items() if leads]


# Python 3.12 warns where a test before has left a thread.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_of_all_who_want_to_at_once_one_leads_until_it_dies(crowd):
    (first,) = leaders(crowd)
    assert leaders(crowd) == [first]
    os.kill(first.pid, signal.SIGKILL)
    first.join(SECONDS)
    del crowd[first]
    (second,) = leaders(crowd)
    assert second is not first
    assert leaders(crowd) == [second]


def test_who_lets_go_is_followed(tmp_path):
    first, second = Leadership(tmp_path / "leader"), Leadership(tmp_path / "leader")
    assert (first.acquire(), second.acquire()) == (True, False)
    first.release()
    assert (second.acquire(), first.acquire()) == (True, False)
    assert (first.is_held, second.is_held) == (False, True)

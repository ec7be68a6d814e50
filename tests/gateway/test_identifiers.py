"""Names for requests and calls: in order, of one length, and never the same."""

import os

import pytest

from gateway.identifiers import ordered_token


def test_later_names_sort_behind_earlier_ones_and_none_comes_twice():
    names = [ordered_token(24) for _ in range(1000)]
    assert sorted(name[:11] for name in names) == [name[:11] for name in names]
    assert len(set(names)) == 1000
    assert {len(name) for name in names} == {24}
    assert all(name.isascii() and name.isalnum() for name in names)


# Python 3.12 warns where a test before has left a thread.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_two_processes_give_different_names():
    ordered_token(24)  # Some are ready by then.
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, b"".join(ordered_token(24)[11:].encode() for _ in range(64)))
        os._exit(0)
    os.waitpid(child, 0)
    text = os.read(reading, 64 * 13).decode()
    theirs = {text[at : at + 13] for at in range(0, len(text), 13)}
    assert len(theirs) == 64
    assert theirs.isdisjoint({ordered_token(24)[11:] for _ in range(64)})

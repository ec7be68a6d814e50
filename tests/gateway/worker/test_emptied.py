"""What large bodies took is given back to the system once they are gone."""

import ctypes
import subprocess
import sys

import pytest

from gateway.worker.capacity import LARGE_BYTES, Capacity, Held
from tests.e2e.processes import ROOT

KEPT = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from gateway.worker.capacity import give_memory_back

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

# What is small goes into gaps that are there already: then nothing lies behind.
kept, bodies = [bytearray(1_000) for _ in range(5_000)], []
for _ in range(400):
    bodies.append(bytearray(100_000))
    kept.append(bytearray(1_000))
bodies.clear()
before = resident()
give_memory_back()
print(before - resident())
"""


def test_many_bytes_that_are_gone_are_told_of_once():
    capacity, held = Capacity(), Held()
    capacity.hold(held, 2 * LARGE_BYTES)
    assert not capacity.has_emptied()
    capacity.leave(held)
    assert capacity.has_emptied()
    assert not capacity.has_emptied()


def test_few_bytes_are_not_told_of():
    capacity, held = Capacity(), Held()
    capacity.hold(held, LARGE_BYTES - 1)
    capacity.leave(held)
    assert not capacity.has_emptied()


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs GNU's C library"
)
def test_memory_goes_back_though_something_small_lies_behind_it():
    printed = subprocess.run(
        [sys.executable, "-c", KEPT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert int(printed) > 30_000_000

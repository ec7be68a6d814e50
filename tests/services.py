"""Servers that some tests need: found, or a reason to skip, or a failure."""

import importlib.util
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def program(name: str, *folders: str) -> str:
    """Return the path of a program; skips the test without it.

    Under REQUIRE_SERVICES=1 a missing program fails the test instead.
    """
    for folder in folders:
        for found in sorted(Path("/").glob(f"{folder.lstrip('/')}/{name}")):
            return str(found)
    found_on_path = shutil.which(name)
    if found_on_path:
        return found_on_path
    _give_up(name)


def packages(*names: str) -> None:
    """Skip the test where a Python package is missing; fails as `program` does."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            _give_up(name)


def _give_up(name: str) -> NoReturn:
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{name} is not installed, and REQUIRE_SERVICES=1 asks for it")
    pytest.skip(f"{name} is not installed")

"""Servers that some tests need: found, or a reason to skip, or a failure."""

import os
import shutil
from pathlib import Path

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
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{name} is not installed, and REQUIRE_SERVICES=1 asks for it")
    pytest.skip(f"{name} is not installed")

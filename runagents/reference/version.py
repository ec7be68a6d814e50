"""This program's version, which stands in one place: pyproject.toml."""

import tomllib
from functools import cache

from django.conf import settings


@cache
def version() -> str:
    """Return the version."""
    told = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    return str(told["project"]["version"])

"""Whether a newer release is out: asked of PyPI once a day, where somebody wants that.

Nothing is sent but the question. https://docs.pypi.org/api/json/
"""

import json
import logging
import re
import time
from pathlib import Path

import httpx
from django.conf import settings

from providers import transport
from runagents import __version__

URL = "https://pypi.org/pypi/runagents-model-providers/json"
DAY_SECONDS = 24 * 3600
TIMEOUT = {"connect": 5.0, "read": 10.0, "total": 20.0}
BODY_LIMIT = 4 << 20
FINAL = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,5}")

logger = logging.getLogger(__name__)


async def look() -> None:
    """Ask once a day what the newest release is; a failure is asked again tomorrow."""
    if not settings.RELEASE_NOTICE or _asked_ago() < DAY_SECONDS:
        return
    try:
        found = await _newest()
    except (httpx.RequestError, ValueError, KeyError, TypeError) as error:
        logger.info("The newest release is not known: %s", type(error).__name__)
        found = ""
    try:
        _path().write_text(json.dumps({"version": found}))
    except OSError as error:
        logger.warning("The newest release cannot be noted: %s", error.strerror)


def newer() -> str:
    """Return the release that is out and newer than this program; empty without one."""
    if not settings.RELEASE_NOTICE:
        return ""
    try:
        found = str(json.loads(_path().read_text())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return found if _parts(found) > _parts(__version__) else ""


async def _newest() -> str:
    request = httpx.Request(
        "GET",
        transport.address(URL),
        headers=transport.header_lines({"Accept": "application/json"}),
        extensions={"timeout": TIMEOUT, "keep_alive": False},
    )
    response = await transport.transport().handle_async_request(request)
    body = await transport.read(response, BODY_LIMIT)
    version = str(json.loads(body)["info"]["version"]) if response.is_success else ""
    return version if FINAL.fullmatch(version) else ""


def _parts(version: str) -> tuple[int, ...]:
    """Return a version to compare by; what is no final one comes before all others."""
    if not FINAL.fullmatch(version):
        return ()
    return tuple(int(part) for part in version.split("."))


def _asked_ago() -> float:
    """Return the seconds since the last question, whatever became of it."""
    try:
        return time.time() - _path().stat().st_mtime
    except OSError:
        return DAY_SECONDS


def _path() -> Path:
    return settings.DATA_DIR / "newest_release.json"

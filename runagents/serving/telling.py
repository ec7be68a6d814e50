"""What a worker tells of its calls besides the ledger: spans, and lines of the log."""

import asyncio
import json
import logging
from pathlib import Path

from django.conf import settings

from gateway.tracing.access import access_log
from gateway.tracing.spans import tracing
from gateway.worker.chores import keep
from gateway.worker.runtime import runtime
from runagents import __version__

LOOK_SECONDS = 1.0


class Levels:
    """The levels of loggers that `manage.py loglevel` has changed, by their names.

    They stand in a file of the data folder, which every worker of the host looks at.
    An empty name is the root's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = 0.0
        self._before: dict[str, int] = {}

    def follow(self) -> None:
        """Take over what has changed; what is no longer named is as it was."""
        try:
            changed = self.path.stat().st_mtime
        except OSError:
            changed = 0.0
        if changed == self._seen:
            return
        self._seen = changed
        wanted = self.read()
        for name in self._before.keys() - wanted.keys():
            logging.getLogger(name).setLevel(self._before.pop(name))
        for name, level in wanted.items():
            own = logging.getLogger(name)
            self._before.setdefault(name, own.level)
            own.setLevel(level)

    def read(self) -> dict[str, str]:
        """Return the levels that were asked for."""
        try:
            told = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return {name: level for name, level in told.items() if level in LEVELS}

    def write(self, wanted: dict[str, str]) -> None:
        """Ask for levels; raises OSError."""
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(wanted))
        draft.replace(self.path)


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
levels = Levels(settings.DATA_DIR / "log_levels.json")

_tasks: list[asyncio.Task[None]] = []


def start() -> None:
    """Begin to tell of calls that are over."""
    runtime.spool.watchers.append(access_log.note)
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _trace()
    levels.follow()
    _tasks.append(keep("follow-log-levels", _keep_following))


async def stop() -> None:
    """End it, the lines and spans that are left sent."""
    for task in _tasks:
        task.cancel()
    await asyncio.gather(*_tasks, return_exceptions=True)
    access_log.flush()
    await asyncio.to_thread(tracing.stop)


def _trace() -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces")
    about = {
        "service.name": settings.OTEL_SERVICE_NAME,
        "service.version": __version__,
    }
    tracing.start(exporter, settings.OTEL_TRACES_SAMPLER_ARG, about)
    runtime.spool.watchers.append(tracing.end)


async def _keep_following() -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        levels.follow()

"""Asks the price lists in a process of their own.

They take 20 MB, are asked once a day for each model, and loading them keeps Python to
itself for a tenth of a second in which no stream of the worker would go on. The process
ends once nobody has asked it for a few seconds.
"""

import json
import logging
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from gateway.ledger.prices import lists

IDLE_SECONDS = 5.0
COMMAND = (sys.executable, "-P", lists.__file__)

logger = logging.getLogger(__name__)


class Apart:
    """One process at the most, however many threads ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._asked_at = 0.0

    def ask(self, *question: str) -> Any:
        """Return the answer of `lists.answer` (blocking)."""
        with self._lock:
            try:
                return self._answered(question)
            except (OSError, ValueError) as error:
                # It died, or none can be started: better a few MB than no cost.
                logger.warning("Prices are read in this process: %r", error)
                self._end()
                return lists.answer(*question)

    def _answered(self, question: tuple[str, ...]) -> Any:
        """Raises OSError or ValueError when the process does not answer."""
        if self._process is None:
            self._process = self._start()
        self._asked_at = time.monotonic()
        asking: Any = self._process.stdin
        answers: Any = self._process.stdout
        asking.write(json.dumps(question) + "\n")
        asking.flush()
        return json.loads(answers.readline())

    def _start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(  # noqa: S603  our own module
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A signal to end that is sent to all is for those that hear of no end.
            start_new_session=True,
        )
        self._rest_later(IDLE_SECONDS)
        return process

    def _rest_later(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._rest)
        timer.daemon = True
        timer.start()

    def _rest(self) -> None:
        """End the process, unless somebody asked it a moment ago."""
        with self._lock:
            left = self._asked_at + IDLE_SECONDS - time.monotonic()
            if left > 0:
                self._rest_later(left)
            else:
                self._end()

    def _end(self) -> None:
        if self._process is not None:
            with suppress(OSError), self._process as process:
                process.kill()
            self._process = None


price_lists = Apart()
"""This worker's."""

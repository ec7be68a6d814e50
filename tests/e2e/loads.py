"""Calls that go on while something is done to those who serve them."""

import asyncio
import threading
from collections import Counter
from typing import Any

import aiohttp

from tests.e2e.processes import chat

# As many as stay a moment in flight, and together some forty a second.
CLIENTS = 8
PAUSE_SECONDS = 0.15


class Load:
    """Clients that call one after the other; `ended` counts how, by status or error."""

    def __init__(self, url: str, key: str, model: str) -> None:
        self._url = f"{url}/v1/chat/completions"
        self._headers = {"authorization": f"Bearer {key}"}
        self._model = model
        self.ended: Counter[str] = Counter()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    @property
    def calls(self) -> int:
        """How many calls ended."""
        return self.ended.total()

    @property
    def failed(self) -> dict[str, int]:
        """How many ended otherwise than well, by how."""
        return {how: count for how, count in self.ended.items() if how != "200"}

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        self._thread.join()

    async def _run(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        timeout = aiohttp.ClientTimeout(total=90)
        async with aiohttp.ClientSession(
            connector=connector, headers=self._headers, timeout=timeout
        ) as session:
            await asyncio.gather(*(self._call(session) for _ in range(CLIENTS)))

    async def _call(self, session: aiohttp.ClientSession) -> None:
        while not self._is_over.is_set():
            self.ended[await call(session, self._url, self._model)] += 1
            await asyncio.sleep(PAUSE_SECONDS)


def at_once(url: str, key: str, model: str, count: int) -> Counter[str]:
    """Make that many calls in parallel; return how they ended."""

    async def all_of_them() -> Counter[str]:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        headers = {"authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(
            connector=connector, headers=headers
        ) as session:
            where = f"{url}/v1/chat/completions"
            calls = (call(session, where, model) for _ in range(count))
            return Counter(await asyncio.gather(*calls))

    return asyncio.run(all_of_them())


async def call(session: aiohttp.ClientSession, url: str, model: str) -> str:
    """Make a call and read its answer; return its status, or the error's name."""
    asked: Any = chat(model)
    try:
        async with session.post(url, json=asked) as response:
            await response.read()
            return str(response.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__

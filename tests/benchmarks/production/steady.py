"""Calls at a steady rate, each sent in its time whether others are answered or not."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import uvloop

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def ask(
    port: int, request: bytes, rate: int, is_over: Callable[[], bool]
) -> list[float]:
    """Send requests, `rate` a second, until it is over; return what each took.

    Seconds from when a request was due. Raises RuntimeError where one fails.
    """
    return uvloop.run(_ask(port, request, rate, is_over))


async def _ask(
    port: int, request: bytes, rate: int, is_over: Callable[[], bool]
) -> list[float]:
    idle: deque[Connection] = deque()
    times: list[float] = []

    async def call(due: float) -> None:
        kept = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        reader, writer = kept
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(head.decode("latin-1"))
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        times.append(time.monotonic() - due)
        idle.append(kept)

    async with asyncio.TaskGroup() as calls:
        due = time.monotonic()
        while not is_over():
            due += 1 / rate
            await asyncio.sleep(due - time.monotonic())
            calls.create_task(call(due))
    for _, writer in idle:
        writer.close()
    return times

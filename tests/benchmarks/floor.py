"""The floor: what passing bytes on costs in Python, with nothing else switched on.

A bare ASGI callable that sends what it gets to the upstream with aiohttp and hands on
what comes back, under gunicorn's own asgi worker and uvloop. It knows no key, limit or
usage, and translates nothing.
"""

import os
from typing import Any

import aiohttp

UPSTREAM = os.environ.get("FLOOR_UPSTREAM", "")
_session: list[aiohttp.ClientSession] = []


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Pass one request on."""
    if scope["type"] != "http":
        return
    if not _session:
        connector = aiohttp.TCPConnector(limit=0)
        _session.append(aiohttp.ClientSession(connector=connector))
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {"content-type": "application/json", "authorization": "Bearer x"}
    url = UPSTREAM + scope["path"]
    async with _session[0].post(url, data=bytes(body), headers=headers) as answer:
        await _pass_on(answer, send)


async def _pass_on(answer: aiohttp.ClientResponse, send: Any) -> None:
    told = [(b"content-type", answer.content_type.encode())]
    if answer.content_length is not None:
        told.append((b"content-length", b"%d" % answer.content_length))
    start = {"type": "http.response.start", "status": answer.status, "headers": told}
    await send(start)
    async for data in answer.content.iter_any():
        await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

"""Images named by URL, fetched for upstreams that do not fetch by themselves.

The address comes from a client, so it is held to more than a provider's: no private
address whatever the provider may do, few redirects (each checked again), little time,
few bytes.
"""

import asyncio
import base64
import copy
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin

import httpx

from gateway.calls import upstream
from gateway.errors import GatewayError, invalid_request
from gateway.wire.jsontext import JSON
from gateway.worker.capacity import Held, capacity
from gateway.worker.snapshot import Provider
from providers.transport import address, transport

MAX_REDIRECTS = 3
MAX_BYTES = 5 * 1024 * 1024
SECONDS = 10.0
MAX_IMAGES = 20
MAX_TOTAL_BYTES = 20 * 1024 * 1024


class _Room:
    """What the images of one request may take together, and what it `held` for them."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._size = 0

    def take(self, size: int) -> None:
        """Make room for what came of an image; raises GatewayError."""
        self._size += size
        if self._size > MAX_TOTAL_BYTES:
            raise _refused(f"together they are larger than {MAX_TOTAL_BYTES} bytes")
        # It stays as base64.
        capacity.hold(self._held, -(-size * 4 // 3))


async def fetch(urls: Sequence[str], provider: Provider, held: Held) -> dict[str, str]:
    """Return a ``data:`` URL for each of `urls`, which the request then `held` as well.

    Raises GatewayError: 400 `invalid_image_url`, 503 when the worker holds too much.
    """
    if not urls:
        return {}
    wanted = list(dict.fromkeys(urls))
    if not provider.row.options.get("fetch_images", True):
        raise _refused("the provider is set not to fetch images; send a data: URL")
    if len(wanted) > MAX_IMAGES:
        raise _refused(f"more than {MAX_IMAGES} images by URL in one request")
    room = _Room(held)
    fetching = [asyncio.create_task(_fetch(url, room)) for url in wanted]
    try:
        fetched = await asyncio.gather(*fetching)
    finally:
        for each in fetching:
            each.cancel()
    return dict(zip(wanted, fetched, strict=True))


def inlined(body: JSON, fetched: Mapping[str, str]) -> JSON:
    """Return `body` with every fetched URL replaced by its ``data:`` URL, in a copy."""
    if not fetched:
        return body
    copied = copy.deepcopy(body)
    for message in copied.get("messages", ()):
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else ():
            image = part.get("image_url") if isinstance(part, dict) else None
            if isinstance(image, str):
                part["image_url"] = fetched.get(image, image)
            elif isinstance(image, dict) and image.get("url") in fetched:
                image["url"] = fetched[image["url"]]
    return copied


async def _fetch(url: str, room: _Room) -> str:
    try:
        async with asyncio.timeout(SECONDS):
            return await _follow(url, room)
    except TimeoutError:
        raise _refused("it did not arrive in time") from None
    except httpx.TransportError:
        raise _refused("it cannot be fetched") from None


async def _follow(url: str, room: _Room) -> str:
    for _ in range(MAX_REDIRECTS + 1):
        if url.partition(":")[0].lower() not in {"http", "https"}:
            raise _refused("only http and https are fetched")
        request = httpx.Request(
            "GET",
            address(url),
            headers={"accept": "image/*", "accept-encoding": "identity"},
            extensions={
                "private_network": False,
                "timeout": {"connect": SECONDS, "read": SECONDS, "total": SECONDS},
            },
        )
        response = await transport().handle_async_request(request)
        try:
            if response.status_code in {301, 302, 303, 307, 308}:
                url = _moved(url, response.headers.get("location", ""))
                continue
            if response.status_code != 200:
                raise _refused(f"its server answered {response.status_code}")
            return await _as_data_url(response, room)
        finally:
            await response.aclose()
    raise _refused(f"more than {MAX_REDIRECTS} redirects")


def _moved(url: str, location: str) -> str:
    """Return where a redirect leads; raises GatewayError when it leads nowhere."""
    try:
        return urljoin(url, location)
    except ValueError:
        raise _refused("its server sends on to an address that is none") from None


async def _as_data_url(response: httpx.Response, room: _Room) -> str:
    content = await _read(response, room)
    label = response.headers.get("content-type", "").partition(";")[0].strip()
    text = base64.b64encode(content).decode()
    return f"data:{label or 'application/octet-stream'};base64,{text}"


async def _read(response: httpx.Response, room: _Room) -> bytes:
    """Return an image, for which room is made as it comes: others come meanwhile."""
    content = bytearray()
    async for part in upstream.body_of(response):
        if len(content) + len(part) > MAX_BYTES:
            raise _refused(f"it is larger than {MAX_BYTES} bytes")
        room.take(len(part))
        content += part
    return bytes(content)


def _refused(reason: str) -> GatewayError:
    return invalid_request(
        f"An image of the request cannot be used: {reason}.",
        param="messages",
        code="invalid_image_url",
    )

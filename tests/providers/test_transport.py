"""The one way out: what it sends, where it connects, how it ends."""

import asyncio

import httpx
import pytest

from providers import transport
from providers.guard import Rules
from providers.transport import DestinationBlocked, GuardedTransport


def test_a_private_address_is_refused_without_the_mark():
    async def call():
        await GuardedTransport(Rules(("127.0.0.0/8",))).handle_async_request(
            httpx.Request("GET", "http://127.0.0.1:9/")
        )

    with pytest.raises(DestinationBlocked, match="Private network") as caught:
        asyncio.run(call())
    assert transport.nothing_was_sent(caught.value)

"""Images that stand somewhere in the network.

Nothing is fetched here: the caller fetches what `remote_urls` names, where the upstream
does not do so itself.
"""

import re

from gateway.hub.protocol import JSON

is_remote = re.compile(r"https?://", re.IGNORECASE).match
"""Whether a URL has to be fetched."""


def remote_urls(body: JSON) -> list[str]:
    """Return the distinct http(s) image URLs of a request, in their order.

    Malformed parts are passed over: they are refused when the request is rendered.
    """
    urls: dict[str, None] = {}
    messages = body.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else ():
            match part:
                case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
                    if is_remote(url):
                        urls[url] = None
    return list(urls)

"""Cache marks as Converse takes them: points between the blocks.

https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
"""

from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARK


def cache_points(blocks: list[JSON], *, caches: bool = True) -> list[JSON]:
    """Return `blocks` with each mark made a cache point of its own, or none at all.

    A point may not directly follow a document, so it goes before a group of them.
    """
    pointed: list[JSON] = []
    for block in blocks:
        mark = block.pop(MARK, None)
        pointed.append(block)
        if mark is None or not caches:
            continue
        point = {"type": "default"}
        if "ttl" in mark:
            point["ttl"] = mark["ttl"]
        place = len(pointed)
        while place and "document" in pointed[place - 1]:
            place -= 1
        if place and "cachePoint" not in pointed[place - 1]:
            pointed.insert(place, {"cachePoint": point})
    return pointed

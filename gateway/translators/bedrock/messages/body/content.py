"""The blocks of a Messages request as Bedrock takes them.

It fetches nothing and keeps no files: images and documents come as their bytes.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARK
from gateway.hub.requests.content.encodings import parse_data_url
from gateway.hub.requests.content.formats import image_type, is_pdf
from gateway.hub.requests.content.remote import is_remote
from gateway.hub.requests.losses import Losses
from gateway.translators.bedrock.messages.body.model import HostedClaude

_HEAD = 64
"""Characters of base64 that tell what it is."""


class Place(NamedTuple):
    """One block, and its path in Anthropic's words."""

    block: JSON
    path: str


def places(body: JSON) -> Iterator[Place]:
    """Yield the blocks of the system prompt and of all messages and results."""
    yield from _within(body.get("system"), "system")
    messages = body.get("messages")
    for number, turn in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(turn, dict):
            yield from _within(turn.get("content"), f"messages.{number}.content")


def _within(content: Any, path: str) -> Iterator[Place]:
    for number, block in enumerate(content if isinstance(content, list) else ()):
        if isinstance(block, dict):
            yield Place(block, f"{path}.{number}")
            if block.get("type") == "tool_result":
                yield from _within(block.get("content"), f"{path}.{number}.content")


def remote_urls(body: JSON) -> list[str]:
    """Return the addresses of images and documents that must be fetched."""
    found: dict[str, None] = {}
    for place in places(body):
        match place.block:
            case {"source": {"type": "url", "url": str(url)}} if is_remote(url):
                found[url] = None
    return list(found)


def fit_blocks(
    body: JSON, model: HostedClaude, fetched: Mapping[str, str], losses: Losses
) -> None:
    """Fit all blocks, and the tools' cache marks, to the model, in place.

    `fetched` has a ``data:`` URL for each remote one. Raises a 400 for what is stored
    elsewhere.
    """
    if body.pop(MARK, None) is not None:
        losses.drop(MARK)
    tools = body.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            _fit_mark(tool, model, losses)
    for place in places(body):
        _fit_mark(place.block, model, losses)
        if isinstance(source := place.block.get("source"), dict):
            place.block["source"] = _source(place, source, fetched)
        if not model.searches_tools:
            _spell_out(place.block)


def _fit_mark(holder: JSON, model: HostedClaude, losses: Losses) -> None:
    mark = holder.get(MARK)
    if not isinstance(mark, dict):
        return
    if not model.claude.caches:
        del holder[MARK]
        losses.downgrade(MARK)
        return
    mark.pop("scope", None)
    if "ttl" in mark and not model.claude.long_cache and mark.pop("ttl") != "5m":
        losses.downgrade(MARK)


def _source(place: Place, source: JSON, fetched: Mapping[str, str]) -> JSON:
    match source:
        case {"type": "file"}:
            raise unsupported(
                f"{place.path}.source: files are not supported on Amazon Bedrock; send "
                "the content as base64",
                param=f"{place.path}.source",
            )
        case {"type": "url", "url": str(url)}:
            return _fetched(place, fetched.get(url, url))
        case {"type": "base64", "data": str(data)}:
            return {**source, "media_type": _media_type(source, data)}
    return source


def _fetched(place: Place, url: str) -> JSON:
    """Return the source that holds what was fetched."""
    path = f"{place.path}.source"
    if not url.startswith("data:"):
        raise invalid_request(
            f"{path}.url: it cannot be fetched; send the content as base64",
            param=path,
            code="invalid_image_url",
        )
    label, content = parse_data_url(url, path)
    if place.block.get("type") == "image":
        media_type = image_type(content.head) or label
        return {"type": "base64", "media_type": media_type, "data": content.text}
    if is_pdf(content.head):
        kind = "application/pdf"
        return {"type": "base64", "media_type": kind, "data": content.text}
    try:
        text = content.data.decode()
        return {"type": "text", "media_type": "text/plain", "data": text}
    except UnicodeDecodeError:
        raise _no_document(path) from None


def _no_document(path: str) -> GatewayError:
    return invalid_request(
        f"{path}.url: it leads to neither a PDF nor text",
        param=path,
        code="invalid_image_url",
    )


def _media_type(source: JSON, data: str) -> Any:
    """Return what an image is by its bytes, where its label says something else."""
    try:
        head = b64decode(data[:_HEAD])
    except (Base64Error, ValueError):
        head = b""
    return image_type(head) or source.get("media_type")


def _spell_out(block: JSON) -> None:
    """Say in words which tool was found, to a model that does not search by itself."""
    match block:
        case {"type": "tool_reference", "tool_name": str(name)}:
            block.clear()
            block.update({"type": "text", "text": f"Tool {name} is available."})

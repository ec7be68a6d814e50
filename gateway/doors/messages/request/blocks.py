"""Content blocks that a user sends, as parts of the hub's messages.

https://platform.claude.com/docs/en/api/messages
"""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from gateway.doors.messages.request.checks import (
    missing,
    not_offered,
    optional,
    text_in,
    unknown_tag,
)
from gateway.doors.messages.request.earlier import in_words
from gateway.doors.messages.request.profile import Profile
from gateway.hub.requests.content.formats import image_type
from gateway.hub.requests.content.parts import SearchResult
from gateway.wire.jsontext import JSON, dumps

_TOLD = ("title", "context", "citations")
"""What a document says besides what it holds."""

KNOWN = (
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "tool_reference",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "advisor_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "container_upload",
    "compaction",
    "fallback",
    "tool_addition",
    "tool_removal",
    "browser_state",
)


def parts_of(block: JSON, path: str, profile: Profile) -> list[JSON]:
    """Return what a block says, as parts; none where it says nothing.

    Raises a 400 naming `path` for what is wrong and for what cannot be said.
    """
    match block["type"]:
        case "text":
            return _texts(text_in(block, "text", path))
        case "image":
            return [_image(_source(block, path), path)]
        case "document":
            return _document(block, path, profile)
        case "search_result":
            return _search_result(block, path, profile)
        case "tool_reference":
            name = text_in(block, "tool_name", path)
            return _texts(f"Tool {name} is available.")
        case "browser_state":
            return _texts(dumps(block))
        case "container_upload":
            raise not_offered(path, "files of a container are not supported here")
        case "fallback" | "tool_addition" | "tool_removal":
            return []
        case kind if (words := in_words(kind, block)) is not None:
            return _texts(words)
        case kind:
            raise unknown_tag(path, kind, KNOWN)


def _texts(text: str) -> list[JSON]:
    """Return the part of a text; blank ones say nothing, and upstreams refuse them."""
    return [{"type": "text", "text": text}] if text.strip() else []


def _source(block: JSON, path: str) -> JSON:
    source: Any = optional(block, "source", dict, "dictionary", path)
    if source is None:
        raise missing(f"{path}.source")
    return dict(source)


def _image(source: JSON, path: str) -> JSON:
    at = f"{path}.source"
    match source.get("type"):
        case "base64":
            data = text_in(source, "data", at)
            label = _image_label(data) or text_in(source, "media_type", at)
            url = f"data:{label};base64,{data}"
        case "url":
            url = text_in(source, "url", at)
        case "file":
            raise _unknown_file(at)
        case kind:
            raise unknown_tag(at, kind, ("base64", "url", "file"))
    return {"type": "image_url", "image_url": {"url": url}}


def _image_label(data: str) -> str:
    """Return what an image is by its first bytes: labels lie, upstreams refuse them."""
    try:
        return image_type(b64decode(data[:32]))
    except (Base64Error, ValueError):
        return ""


def _unknown_file(path: str) -> Exception:
    return not_offered(
        path, "files uploaded elsewhere are not known here. Send the content as base64"
    )


def _document(block: JSON, path: str, profile: Profile) -> list[JSON]:
    source, at = _source(block, path), f"{path}.source"
    match source.get("type"):
        case "base64":
            return [_file(block, source, path, profile)]
        case "text":
            return _titled(block, [text_in(source, "data", at)])
        case "content":
            return _titled(block, _inner_texts(source.get("content"), f"{at}.content"))
        case "url" if profile.fetches:
            url = text_in(source, "url", at)
            return [{"type": "image_url", "image_url": {"url": url}}]
        case "url":
            raise not_offered(
                at,
                "documents by URL are not supported here. Send the content as base64",
            )
        case "file":
            raise _unknown_file(at)
        case kind:
            raise unknown_tag(at, kind, ("base64", "text", "content", "url", "file"))


def _file(block: JSON, source: JSON, path: str, profile: Profile) -> JSON:
    data = text_in(source, "data", f"{path}.source")
    label = source.get("media_type")
    label = label if isinstance(label, str) else "application/pdf"
    title = block.get("title")
    name = title if isinstance(title, str) and title else "document.pdf"
    file: JSON = {"filename": name, "file_data": f"data:{label};base64,{data}"}
    if profile.tells_sources:
        file |= {name: block[name] for name in _TOLD if block.get(name)}
    return {"type": "file", "file": file}


def _titled(block: JSON, texts: list[str]) -> list[JSON]:
    """Return a document of text, as models read several of them."""
    said = [block["context"]] if isinstance(block.get("context"), str) else []
    body = "\n".join(text for text in [*said, *texts] if text.strip())
    if not body:
        return []
    title = block.get("title")
    named = f" title={dumps(title)}" if isinstance(title, str) and title else ""
    return _texts(f"<document{named}>\n{body}\n</document>")


def _inner_texts(content: Any, path: str) -> list[str]:
    """Return the texts of a content of blocks, or the one that it is."""
    if isinstance(content, str):
        return [content]
    found = []
    for place, each in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(each, dict) or each.get("type") != "text":
            raise not_offered(f"{path}.{place}", "only text is supported here")
        found.append(text_in(each, "text", f"{path}.{place}"))
    return found


def _search_result(block: JSON, path: str, profile: Profile) -> list[JSON]:
    """Return what a search found: as such, or in words for models that know no more."""
    source, title = text_in(block, "source", path), text_in(block, "title", path)
    found = _inner_texts(block.get("content"), f"{path}.content")
    texts = tuple(text for text in found if text.strip())
    if not texts:
        return []
    if not profile.tells_sources:
        return _texts(SearchResult(source, title, texts).text)
    content = [{"type": "text", "text": text} for text in texts]
    told: JSON = {"source": source, "title": title, "content": content}
    if block.get("citations"):
        told["citations"] = block["citations"]
    return [{"type": "search_result", "search_result": told}]

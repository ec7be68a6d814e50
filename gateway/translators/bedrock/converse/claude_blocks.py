"""Claude's blocks in Converse's words.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from typing import Any

from gateway.errors import unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARK
from gateway.translators.bedrock.converse.messages import NO_OUTPUT, DocumentNames
from gateway.translators.bedrock.in_words import called, result_of
from gateway.translators.bedrock.tool_ids import converse_id


def marked(block: JSON, source: JSON) -> JSON:
    """Return `block` with the cache mark that `source` has."""
    if MARK in source:
        block[MARK] = source[MARK]
    return block


class ClaudeBlocks:
    """Says the blocks of one request; `as_text` writes tool use in our words.

    With `titles` documents are called what the client calls them, else by number.
    """

    def __init__(self, *, as_text: bool, titles: bool = False) -> None:
        self._as_text = as_text
        self._has_titles = titles
        self._documents = DocumentNames()
        self._names: dict[str, str] = {}

    def block(self, block: JSON) -> JSON:
        """Return one block, with its cache mark.

        Raises `GatewayError` (400) for one that Converse has no word for.
        """
        return marked(self._plain(block), block)

    def _plain(self, block: JSON) -> JSON:
        match block:
            case {"type": "text", "text": text}:
                return {"text": text}
            case {"type": "image", "source": source}:
                format = source["media_type"].removeprefix("image/")
                image = {"format": format, "source": {"bytes": source["data"]}}
                return {"image": image}
            case {"type": "document", "source": source}:
                return self._document(block, source)
            case {"type": "search_result"}:
                return _search_result(block)
            case {"type": "tool_use"}:
                return self._tool_use(block)
            case {"type": "tool_result"}:
                return self._tool_result(block)
            case {"type": "tool_reference", "tool_name": name}:
                return {"text": f"Tool {name} is available."}
            case {"type": "thinking" | "redacted_thinking"}:
                return _reasoning(block)
        raise unsupported(
            f"messages: a block of type '{block.get('type')}' is not supported by "
            "Bedrock's Converse",
            param="messages",
        )

    def _document(self, block: JSON, source: JSON) -> JSON:
        document: JSON = {
            "format": "pdf" if source["type"] == "base64" else "txt",
            "name": self._name(block.get("title")),
            "source": _held(source),
        }
        if context := block.get("context"):
            document["context"] = context
        if citations := block.get("citations"):
            document["citations"] = {"enabled": citations.get("enabled") is True}
        return {"document": document}

    def _name(self, title: Any) -> str:
        told = title if self._has_titles and isinstance(title, str) else ""
        return self._documents.take(told)

    def _tool_use(self, block: JSON) -> JSON:
        self._names[block["id"]] = block["name"]
        if self._as_text:
            return {"text": called(block["name"], block["input"])}
        return {
            "toolUse": {
                "toolUseId": converse_id(block["id"]),
                "name": block["name"],
                "input": block["input"],
            }
        }

    def _tool_result(self, block: JSON) -> JSON:
        held = block.get("content", [])
        if isinstance(held, str):
            held = [{"type": "text", "text": held}]
        blocks = [self._plain(each) for each in held]
        if self._as_text:
            name = self._names.get(block["tool_use_id"], "tool")
            said = "".join(each.get("text", "") for each in blocks)
            return {"text": result_of(name, said)}
        result = {
            "toolUseId": converse_id(block["tool_use_id"]),
            "content": blocks or [dict(NO_OUTPUT)],
            "status": "error" if block.get("is_error") else "success",
        }
        return {"toolResult": result}


def _held(source: JSON) -> JSON:
    match source:
        case {"type": "text", "data": text}:
            return {"text": text}
        case {"type": "content", "content": str(text)}:
            return {"content": [{"text": text}]}
        case {"type": "content", "content": list(blocks)}:
            texts = [each for each in blocks if each.get("type") == "text"]
            return {"content": [{"text": each["text"]} for each in texts]}
    return {"bytes": source["data"]}


def _search_result(block: JSON) -> JSON:
    """Return what a search of the client's found.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_SearchResultBlock.html
    """
    result: JSON = {
        "source": block["source"],
        "title": block["title"],
        "content": [{"text": each["text"]} for each in block["content"]],
    }
    if citations := block.get("citations"):
        result["citations"] = {"enabled": citations.get("enabled") is True}
    return {"searchResult": result}


def _reasoning(block: JSON) -> JSON:
    """Return one of Claude's thinking blocks."""
    if block["type"] == "redacted_thinking":
        return {"reasoningContent": {"redactedContent": block["data"]}}
    text = {"text": block["thinking"], "signature": block["signature"]}
    return {"reasoningContent": {"reasoningText": text}}

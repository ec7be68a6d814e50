"""Content parts as Claude's content blocks.

https://platform.claude.com/docs/en/build-with-claude/vision and
https://platform.claude.com/docs/en/build-with-claude/pdf-support
"""

from gateway.errors import invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.content.parts import (
    Audio,
    Document,
    FileId,
    Image,
    Part,
    SearchResult,
    Text,
)
from gateway.translators.anthropic.requests.dialect import Dialect

FILES_BETA = "files-api-2025-04-14"
"""Needed where a block refers to an uploaded file."""


def render_part(part: Part, dialect: Dialect, param: str) -> JSON | None:
    """Return the block for `part`; None for blank text, which Claude refuses.

    Raises a 400 naming `param` for content that the host does not take.
    """
    match part:
        case Text(text):
            return {"type": "text", "text": text} if text.strip() else None
        case Image():
            return {"type": "image", "source": _image_source(part, dialect, param)}
        case Document():
            return None if part.is_blank else _document(part, param)
        case SearchResult():
            return _search_result(part)
        case FileId("", url) if dialect.remote_images:
            return {"type": "document", "source": {"type": "url", "url": url}}
        case FileId(id):
            return _uploaded(id, dialect, param)
        case Audio():
            raise unsupported(
                f"Claude does not take audio: replace '{param}' by its transcript.",
                param=param,
            )


def _image_source(image: Image, dialect: Dialect, param: str) -> JSON:
    if not image.url:
        return {
            "type": "base64",
            "media_type": image.media_type,
            "data": image.base64,
        }
    if not dialect.remote_images:
        raise invalid_request(
            f"The image in '{param}' could not be fetched for this provider, which "
            "takes image data only. Send it as a data: URL.",
            param=param,
            code="invalid_image_url",
        )
    return {"type": "url", "url": image.url}


def _uploaded(id: str, dialect: Dialect, param: str) -> JSON:
    if not dialect.uploaded_files or not id.startswith("file_"):
        raise unsupported(
            f"The file in '{param}' is not known to this provider. Send its content "
            "as 'file_data'.",
            param=param,
        )
    return {"type": "document", "source": {"type": "file", "file_id": id}}


def _document(document: Document, param: str) -> JSON:
    if document.format == "pdf":
        source = {
            "type": "base64",
            "media_type": "application/pdf",
            "data": document.base64,
        }
    elif document.is_text:
        source = {
            "type": "text",
            "media_type": "text/plain",
            "data": document.text,
        }
    else:
        raise unsupported(
            f"The file in '{param}' is neither a PDF nor text. Convert it to one of "
            "them.",
            param=param,
        )
    block: JSON = {"type": "document", "source": source}
    if title := document.title or document.name:
        block["title"] = title
    if document.context:
        block["context"] = document.context
    return _citing(block, document.cites)


def _search_result(found: SearchResult) -> JSON:
    """https://platform.claude.com/docs/en/build-with-claude/search-results"""
    block: JSON = {
        "type": "search_result",
        "source": found.source,
        "title": found.title,
        "content": [{"type": "text", "text": text} for text in found.texts],
    }
    return _citing(block, found.cites)


def _citing(block: JSON, cites: bool | None) -> JSON:
    if cites is not None:
        block["citations"] = {"enabled": cites}
    return block

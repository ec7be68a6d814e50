"""Reads the content of a message.

Every fault is a 400 that names the place of what is wrong.
"""

from typing import Any

from gateway.errors import unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.content.encodings import (
    Base64,
    malformed,
    parse_base64,
    parse_data_url,
)
from gateway.hub.requests.content.formats import (
    document_format,
    image_type,
    is_pdf,
)
from gateway.hub.requests.content.parts import (
    Audio,
    Document,
    FileId,
    Image,
    Part,
    SearchResult,
    Text,
)
from gateway.hub.requests.content.remote import is_remote


def parse_part(part: JSON, param: str) -> Part:
    """Return what a content part holds.

    Raises a 400 naming `param`, the part's path, for a part that is malformed, of an
    unknown type, or an image in a format that no model reads.
    """
    match part:
        case {"type": "text", "text": str(text)}:
            return Text(text)
        case {"type": "refusal", "refusal": str(text)}:
            return Text(text)
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return _parse_image(url, param)
        case {"type": "image_url", "image_url": str(url)}:
            return _parse_image(url, param)
        case {"type": "file", "file": dict(file)}:
            return _parse_file(file, param)
        case {"type": "input_audio", "input_audio": dict(audio)}:
            return _parse_audio(audio, param)
        case {"type": "search_result", "search_result": dict(found)}:
            return _parse_search_result(found, param)
        case {"type": "text" | "refusal" | "image_url" | "file" | "input_audio"}:
            raise malformed(param, f"a part of type '{part['type']}' is incomplete")
        case _:
            raise unsupported(
                f"Content parts of type '{part.get('type')}' are not supported: use "
                f"text, image_url or file in '{param}'.",
                param=param,
            )


def parse_content(content: str | list[JSON] | None, param: str) -> list[Part]:
    """Return the parts of a message's `content`, whose path is `param`."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)]
    return [
        parse_part(part, f"{param}[{position}]")
        for position, part in enumerate(content)
    ]


def text_of(content: str | list[JSON] | None, param: str) -> str:
    """Return the text of a content that may hold nothing else, without separators."""
    pieces = []
    for part in parse_content(content, param):
        if not isinstance(part, Text):
            raise unsupported(f"Only text is supported in '{param}'.", param=param)
        pieces.append(part.text)
    return "".join(pieces)


def _parse_image(url: str, param: str) -> Image | Document:
    if is_remote(url):
        return Image("", "", url)
    if url[:5].lower() != "data:":
        raise malformed(param, "an image URL begins with https:// or data:")
    return _image_of(parse_data_url(url, param).content, param)


def _image_of(content: Base64, param: str) -> Image | Document:
    """Return what is an image, or a document where it is a PDF; else a 400."""
    if not content.text:
        raise malformed(param, "the image is empty")
    media_type = image_type(content.head)
    if media_type:
        return Image(media_type, content.text)
    if is_pdf(content.head):
        return Document("pdf", content.text, "")
    raise unsupported(
        f"The image in '{param}' is not a JPEG, PNG, GIF or WebP. Convert it to one of "
        "these.",
        param=param,
    )


def _parse_file(file: JSON, param: str) -> Document | FileId:
    data = file.get("file_data")
    if data is None and isinstance(file.get("file_id"), str):
        return FileId(file["file_id"])
    if data is None and is_remote(file.get("file_url") or ""):
        return FileId("", file["file_url"])
    if not isinstance(data, str):
        raise malformed(param, "a file needs 'file_data' or 'file_id'")
    name = file.get("filename")
    if data[:5].lower() == "data:":
        label, content = parse_data_url(data, param)
    else:
        label, content = "", parse_base64(data, param)
    name = name if isinstance(name, str) else ""
    title, context = file.get("title"), file.get("context")
    return Document(
        _format_of(content, label, name),
        content.text,
        name,
        title if isinstance(title, str) else "",
        context if isinstance(context, str) else "",
        _cites(file),
    )


def _format_of(content: Base64, label: str, name: str) -> str:
    """Return the format of a file; but for a PDF all of it tells."""
    return "pdf" if is_pdf(content.head) else document_format(content.data, label, name)


def _parse_search_result(found: JSON, param: str) -> SearchResult:
    """Return what a search found, as the Messages API's door hands it on."""
    match found:
        case {"source": str(source), "title": str(title), "content": list(content)}:
            texts = [each.get("text") for each in content if isinstance(each, dict)]
            said = tuple(text for text in texts if isinstance(text, str))
            if said and len(said) == len(content):
                return SearchResult(source, title, said, _cites(found))
    raise malformed(
        param, "a search result needs 'source', 'title' and texts as 'content'"
    )


def _cites(held: JSON) -> bool | None:
    """Return whether something is to be cited; None where that is not said."""
    match held.get("citations"):
        case {"enabled": bool(enabled)}:
            return enabled
    return None


def _parse_audio(audio: JSON, param: str) -> Audio:
    data: Any = audio.get("data")
    format: Any = audio.get("format")
    if not isinstance(data, str) or not isinstance(format, str):
        raise malformed(param, "audio needs 'data' and 'format'")
    if data[:5].lower() == "data:":
        return Audio(format.lower(), parse_data_url(data, param).content.text)
    return Audio(format.lower(), parse_base64(data, param).text)

"""Content parts of a message: what they hold, read once for all upstreams.

Labels lie: a PNG called ``image/jpg`` is refused by every upstream, so the media type
of bytes comes from the bytes. Nothing is fetched here; `remote_urls` names what the
caller has to fetch first where the upstream does not do so itself.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON

IMAGE_FORMATS = {
    "image/jpeg": "jpeg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
}
"""Media types of images that vision models take, and Bedrock's names for them."""


class Text(NamedTuple):
    """A text part, or a refusal that an assistant gave."""

    text: str


class Image(NamedTuple):
    """An image: its bytes, or the URL of one still to be fetched."""

    media_type: str
    data: bytes
    url: str = ""

    @property
    def base64(self) -> str:
        """The bytes in base64 text."""
        return b64encode(self.data).decode()


class Document(NamedTuple):
    """A file: its bytes and what they are.

    `format` is one of `DOCUMENT_FORMATS`, or empty where it is none of them.
    """

    format: str
    data: bytes
    name: str

    @property
    def base64(self) -> str:
        """The bytes in base64 text."""
        return b64encode(self.data).decode()

    @property
    def is_text(self) -> bool:
        """Whether the bytes are text in UTF-8."""
        return self.format in TEXT_FORMATS

    @property
    def text(self) -> str:
        """The text of a file that is text."""
        return self.data.decode("utf-8-sig")

    @property
    def is_blank(self) -> bool:
        """Whether it is text that says nothing, which upstreams refuse."""
        return self.is_text and not self.text.strip()


class FileId(NamedTuple):
    """A file that was uploaded to the upstream before."""

    id: str


class Audio(NamedTuple):
    """Sound: its bytes and the format that the client names, such as ``wav``."""

    format: str
    data: bytes

    @property
    def base64(self) -> str:
        """The bytes in base64 text."""
        return b64encode(self.data).decode()


Part = Text | Image | Document | FileId | Audio

TEXT_FORMATS = frozenset({"txt", "md", "csv", "html", "json"})
DOCUMENT_FORMATS = TEXT_FORMATS | {"pdf", "doc", "docx", "xls", "xlsx"}

_FORMAT_OF_TYPE = {
    "application/csv": "csv",
    "application/json": "json",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/xhtml+xml": "html",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/x-markdown": "md",
}

_FORMAT_OF_EXTENSION = {format: format for format in DOCUMENT_FORMATS} | {
    "htm": "html",
    "log": "txt",
    "markdown": "md",
    "text": "txt",
    "tsv": "csv",
}

_OFFICE_MAGIC = {
    "docx": b"PK\x03\x04",
    "xlsx": b"PK\x03\x04",
    "doc": b"\xd0\xcf\x11\xe0",
    "xls": b"\xd0\xcf\x11\xe0",
}


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
        case {"type": "text" | "refusal" | "image_url" | "file" | "input_audio"}:
            raise _malformed(param, f"a part of type '{part['type']}' is incomplete")
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
                    if _is_remote(url):
                        urls[url] = None
    return list(urls)


_is_remote = re.compile(r"https?://", re.IGNORECASE).match


def _parse_image(url: str, param: str) -> Image | Document:
    if _is_remote(url):
        return Image("", b"", url)
    if url[:5].lower() != "data:":
        raise _malformed(param, "an image URL begins with https:// or data:")
    return image_of(parse_data_url(url, param).data, param)


def image_of(data: bytes, param: str) -> Image | Document:
    """Return `data` as an image, or as a document where it is a PDF; else a 400."""
    if not data:
        raise _malformed(param, "the image is empty")
    media_type = image_type(data)
    if media_type:
        return Image(media_type, data)
    if data.startswith(b"%PDF-"):
        return Document("pdf", data, "")
    raise unsupported(
        f"The image in '{param}' is not a JPEG, PNG, GIF or WebP. Convert it to one of "
        "these.",
        param=param,
    )


def image_type(data: bytes) -> str:
    """Return the media type of an image by its first bytes; empty if it is none."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return ""


class DataURL(NamedTuple):
    """The label and the bytes of a ``data:`` URL; the label is lower-case or empty."""

    media_type: str
    data: bytes


def parse_data_url(url: str, param: str) -> DataURL:
    """Return what a ``data:`` URL holds (RFC 2397); raises a 400 naming `param`."""
    head, comma, payload = url[5:].partition(",")
    if not comma:
        raise _malformed(param, "a data URL needs a comma before its data")
    label, *parameters = (piece.strip().lower() for piece in head.split(";"))
    if "base64" in parameters:
        return DataURL(label, parse_base64(payload, param))
    return DataURL(label, unquote_to_bytes(payload))


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITESPACE = b" \t\r\n\f\v"


def parse_base64(text: str, param: str) -> bytes:
    """Return the bytes of base64 text; raises a 400 naming `param`.

    Line breaks, the URL-safe alphabet, percent-encoding and missing padding are
    accepted: clients send all of them.
    """
    raw = unquote_to_bytes(text) if "%" in text else text.encode()
    raw = raw.translate(_URL_SAFE, _WHITESPACE).rstrip(b"=")
    try:
        return b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except Base64Error:
        raise _malformed(param, "the data is not valid base64") from None


def _parse_file(file: JSON, param: str) -> Document | FileId:
    data = file.get("file_data")
    if data is None and isinstance(file.get("file_id"), str):
        return FileId(file["file_id"])
    if not isinstance(data, str):
        raise _malformed(param, "a file needs 'file_data' or 'file_id'")
    name = file.get("filename")
    if data[:5].lower() == "data:":
        label, content = parse_data_url(data, param)
    else:
        label, content = "", parse_base64(data, param)
    name = name if isinstance(name, str) else ""
    return Document(document_format(content, label, name), content, name)


def document_format(data: bytes, label: str, name: str) -> str:
    """Return the format of a file by its bytes, media type and name; empty if unknown.

    Text and office formats look alike from their bytes, so there the label decides, or
    the name where the label says nothing, and the bytes must not contradict it.
    """
    if data.startswith(b"%PDF-"):
        return "pdf"
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    format = _FORMAT_OF_TYPE.get(label) or _FORMAT_OF_EXTENSION.get(extension, "")
    if not format and label.startswith("text/"):
        format = "txt"
    if format in _OFFICE_MAGIC:
        return format if data.startswith(_OFFICE_MAGIC[format]) else ""
    if format in TEXT_FORMATS and _is_text(data):
        return format
    return ""


def _is_text(data: bytes) -> bool:
    if b"\x00" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse_audio(audio: JSON, param: str) -> Audio:
    data: Any = audio.get("data")
    format: Any = audio.get("format")
    if not isinstance(data, str) or not isinstance(format, str):
        raise _malformed(param, "audio needs 'data' and 'format'")
    if data[:5].lower() == "data:":
        return Audio(format.lower(), parse_data_url(data, param).data)
    return Audio(format.lower(), parse_base64(data, param))


def _malformed(param: str, problem: str) -> GatewayError:
    return invalid_request(
        f"Invalid content in '{param}': {problem}.", param=param, code="invalid_value"
    )

"""What bytes are: labels lie.

A PNG called ``image/jpg`` is refused by every upstream, so the media type of bytes
comes from the bytes.
"""

from gateway.hub.requests.content.parts import DOCUMENT_FORMATS, TEXT_FORMATS

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


def image_type(data: bytes) -> str:
    """Return the media type of an image by its first bytes; empty if it is none.

    Known are the four that vision models take.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return ""


def is_pdf(data: bytes) -> bool:
    """Tell whether a file is a PDF by its first bytes."""
    return data.startswith(b"%PDF-")


def document_format(data: bytes, label: str, name: str) -> str:
    """Return the format of a file by its bytes, media type and name; empty if unknown.

    Text and office formats look alike from their bytes, so there the label decides, or
    the name where the label says nothing, and the bytes must not contradict it.
    """
    if is_pdf(data):
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

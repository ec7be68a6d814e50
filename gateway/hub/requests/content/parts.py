"""What a content part of a message can hold."""

from base64 import b64encode
from typing import NamedTuple

TEXT_FORMATS = frozenset({"txt", "md", "csv", "html", "json"})
DOCUMENT_FORMATS = TEXT_FORMATS | {"pdf", "doc", "docx", "xls", "xlsx"}


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
    """A file that was uploaded to the upstream before, or the URL of one to fetch."""

    id: str
    url: str = ""


class Audio(NamedTuple):
    """Sound: its bytes and the format that the client names, such as ``wav``."""

    format: str
    data: bytes

    @property
    def base64(self) -> str:
        """The bytes in base64 text."""
        return b64encode(self.data).decode()


Part = Text | Image | Document | FileId | Audio

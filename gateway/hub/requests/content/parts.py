"""What a content part of a message can hold."""

from typing import NamedTuple

from gateway.hub.requests.content.encodings import Base64
from gateway.wire.jsontext import dumps

TEXT_FORMATS = frozenset({"txt", "md", "csv", "html", "json"})
DOCUMENT_FORMATS = TEXT_FORMATS | {"pdf", "doc", "docx", "xls", "xlsx"}


class Text(NamedTuple):
    """A text part, or a refusal that an assistant gave."""

    text: str


class Image(NamedTuple):
    """An image: its bytes in base64, or the URL of one still to be fetched."""

    media_type: str
    base64: str
    url: str = ""


class Document(NamedTuple):
    """A file: its bytes in base64 and what they are.

    `format` is one of `DOCUMENT_FORMATS`, or empty where it is none of them. `title`
    is what it is called in front of the model, `context` what is said of it besides,
    `cites` whether the answer is to cite it; None where that is not said.
    """

    format: str
    base64: str
    name: str
    title: str = ""
    context: str = ""
    cites: bool | None = None

    @property
    def is_text(self) -> bool:
        """Whether the bytes are text in UTF-8."""
        return self.format in TEXT_FORMATS

    @property
    def text(self) -> str:
        """The text of a file that is text."""
        return Base64(self.base64).data.decode("utf-8-sig")

    @property
    def is_blank(self) -> bool:
        """Whether it is text that says nothing, which upstreams refuse."""
        return self.is_text and not self.text.strip()


class SearchResult(NamedTuple):
    """What a search of the client's found, for the answer to cite if it `cites`."""

    source: str
    title: str
    texts: tuple[str, ...]
    cites: bool | None = None

    @property
    def text(self) -> str:
        """It in words, for models that know texts only."""
        return (
            f"<search_result source={dumps(self.source)} title={dumps(self.title)}>\n"
            + "\n".join(self.texts)
            + "\n</search_result>"
        )


class FileId(NamedTuple):
    """A file that was uploaded to the upstream before, or the URL of one to fetch."""

    id: str
    url: str = ""


class Audio(NamedTuple):
    """Sound: its bytes in base64, and the client's name for its format: ``wav``."""

    format: str
    base64: str


Part = Text | Image | Document | SearchResult | FileId | Audio

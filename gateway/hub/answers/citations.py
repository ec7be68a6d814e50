"""Citations of an answer: web pages as OpenAI's annotations, others as they are.

https://platform.openai.com/docs/api-reference/chat/object (annotations)
"""

from collections.abc import Callable
from typing import Any

from gateway.wire.jsontext import JSON

WebPage = Callable[[JSON], tuple[str, Any] | None]
"""Finds the address and the title in an upstream's citation of a web page."""


def split(
    citations: list[Any], web_page: WebPage, start: int, end: int
) -> tuple[list[JSON], list[JSON]]:
    """Return annotations for the web pages among `citations`, and the others.

    `start` and `end` are where the cited text stands in the answer's content.
    """
    annotations: list[JSON] = []
    others: list[JSON] = []
    for citation in citations:
        if not isinstance(citation, dict):
            continue
        if (page := web_page(citation)) is None:
            others.append(citation)
            continue
        url, title = page
        place = {
            "url": url,
            "title": title if isinstance(title, str) else "",
            "start_index": start,
            "end_index": end,
        }
        annotations.append({"type": "url_citation", "url_citation": place})
    return annotations, others

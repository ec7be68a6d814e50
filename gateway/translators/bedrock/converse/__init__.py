"""Bedrock's Converse: one format for all of its models.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

The `bedrock` translator calls it for models whose own body it does not know or cannot
fill; Nova's InvokeModel body is made of its parts.
"""

from gateway.translators.bedrock.converse.from_claude import (
    Around,
    forced_tool,
    from_claude,
)
from gateway.translators.bedrock.converse.request import WHOLE, render
from gateway.translators.bedrock.converse.response import parse_converse
from gateway.translators.bedrock.converse.stream import ConverseReader
from gateway.translators.bedrock.converse.whole import WholeReader

__all__ = [
    "WHOLE",
    "Around",
    "ConverseReader",
    "WholeReader",
    "forced_tool",
    "from_claude",
    "parse_converse",
    "render",
]

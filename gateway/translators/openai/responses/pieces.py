"""Events that carry a piece of an answer, and nearly all are such.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

import re

PIECES = re.compile(rb"(?:event: response\.[a-z_.]++(?<=\.delta)\ndata: [^\n]*+\n\n)++")
"""Such events behind each other, by how they begin."""

TEXT = re.compile(rb'"delta": ?"((?:[^"\\\n]++|\\.)*+)"')
"""The piece in one."""

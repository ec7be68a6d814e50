"""The grammar that an upstream compiles all strict schemas of a request into.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#schema-complexity-limits
"""

import re

from gateway.hub.protocol import JSON, Feature
from gateway.hub.requests.schemas.representable import cost_of

_MOST_TOOLS = 20
_MOST_OPTIONAL = 24
_MOST_UNIONS = 16

GRAMMAR = Feature(
    "grammar",
    ("strict", "output_config", "outputConfig"),
    re.compile(
        r"compiled grammar|grammar compilation|compilation cost|"
        r"schemas? (is|are) too complex|too complex for compilation|"
        r"too many (strict tools|optional parameters|parameters with union)|"
        r"output_?(config|format)\.(text_?)?(format\.)?(\w+\.)*schema\b|"
        r"for '\w+' type, propert(y|ies)\b",
        re.IGNORECASE,
    ),
    anywhere=True,
    of_schemas=True,
)
"""What refusals of single schemas look like: the others of the model stay strict.

https://github.com/anthropics/anthropic-sdk-python/issues/1185
https://github.com/TanStack/ai/issues/682
"""

SCHEMAS = Feature(
    "schemas",
    ("json_schema", "format"),
    re.compile(
        # A reference that leads nowhere is the client's own mistake.
        r"^(?!.*\b(for function|resolv(e|ing) \$?ref|unresolvable)\b).*("
        r"grammar|schemas? (is|are) too|too complex|invalid (json )?schema|"
        r"invalid_json_schema|json ?schema conversion|"
        r"(json_?schema|structured.outputs?|xgrammar|outlines|guidance|for format)"
        r"\b.{0,80}(unsupported|not (implemented|supported)|fail|invalid|error)|"
        r"(unsupported|not (implemented|supported)|failed|invalid|expected).{0,80}"
        r"\b(json.?schema|structured.outputs?|xgrammar|outlines|guidance|for format))",
        re.IGNORECASE | re.DOTALL,
    ),
    anywhere=True,
    of_schemas=True,
)
"""A schema of an answer that a server cannot follow: its JSON is asked for in words.

https://github.com/datalab-to/marker/issues/984 and
https://github.com/ollama/ollama/issues/12422
"""


class Grammar:
    """How much of the grammar of one request is left.

    A refused one takes no schemas, and an upstream that knows none for tools no tools.
    """

    def __init__(self, *, takes_schemas: bool = True, takes_tools: bool = True) -> None:
        self._tools = _MOST_TOOLS if takes_tools else 0
        self._optional = _MOST_OPTIONAL
        self._unions = _MOST_UNIONS
        self._takes_schemas = takes_schemas

    @property
    def left(self) -> tuple[int, ...]:
        """What decides about further schemas."""
        return self._takes_schemas, self._tools, self._optional, self._unions

    def takes(self, schema: JSON, param: str) -> bool:
        """Take in `schema` if it has a native form and still fits; tell whether.

        Raises a 400 naming `param` for a schema nested too deeply.
        """
        if not self._takes_schemas or (cost := cost_of(schema, param)) is None:
            return False
        if cost.optional > self._optional or cost.unions > self._unions:
            return False
        self._optional -= cost.optional
        self._unions -= cost.unions
        return True

    def takes_tool(self, schema: JSON, param: str) -> bool:
        """Take in the schema of a tool, of which there may be so many; tell whether."""
        if not self._tools or not self.takes(schema, param):
            return False
        self._tools -= 1
        return True

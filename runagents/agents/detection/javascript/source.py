"""One JavaScript or TypeScript file, read by tree-sitter.

https://github.com/tree-sitter/tree-sitter-typescript: the `tsx` grammar takes plain
JavaScript with and without JSX, too. A file with mistakes is read as far as possible.
"""

import re
from collections.abc import Callable

from tree_sitter import Language, Node, Parser

from runagents.agents.detection import vendors
from runagents.agents.detection.findings import Findings
from runagents.agents.detection.javascript import syntax
from runagents.agents.detection.javascript.names import JavaScriptNames
from runagents.agents.detection.javascript.syntax import STRINGS
from runagents.agents.detection.vendors import (
    CHAT_TAIL,
    DEFAULT_ROLE,
    GATEWAY_VARIABLE,
    MODEL_VARIABLE,
    SYSTEM_ARGUMENTS,
)


class JavaScriptFile:
    """A parsed file: what its names stand for, and what is found in it."""

    def __init__(
        self, name: str, text: str, grammar: Callable[[], object], found: Findings
    ) -> None:
        """Parse `text`; raises ValueError, in a sentence, when nothing of it parses."""
        self.name = name
        self._found = found
        self._tree = Parser(Language(grammar())).parse(text.encode())
        root = self._tree.root_node
        if root.type == "ERROR":
            raise ValueError(f"{name} is not valid JavaScript or TypeScript.")
        self._nodes = list(syntax.walk(root))
        if root.has_error:
            lines = [syntax.line(n) for n in self._nodes if syntax.is_mistake(n)]
            at = f", line {lines[0]}" if lines else ""
            found.problems.append(f"{name} has a mistake{at}; the rest was read.")
        self.names = JavaScriptNames(name, self._nodes)

    # --- models ---

    def find_models(self) -> None:
        """Note every call of a model."""
        calls_gateway = False
        for node in self._nodes:
            if node.type in {"call_expression", "new_expression"}:
                self._call(node)
            elif node.type in STRINGS:
                is_url = syntax.string(node).endswith(CHAT_TAIL)
                calls_gateway = calls_gateway or is_url
            elif node.type in {"property_identifier", "string_fragment"}:
                is_named = syntax.source(node) == GATEWAY_VARIABLE
                calls_gateway = calls_gateway or is_named
        if calls_gateway:
            self._gateway_usages()

    def _call(self, node: Node) -> None:
        row = vendors.call_of(self.names.callee(node))
        if row is None:
            return
        value = self._model_argument(node, row.name)
        model, variable = self.names.model(value) if value is not None else ("", "")
        if not vendors.counts(row, is_given=value is not None, named=model or variable):
            return
        maker = self.names.maker(value)
        vendor, place = row.vendor or maker.vendor, (self.name, syntax.line(node))
        api = maker.api if maker.api and row.role == "chat" else ""
        api = api or vendors.api_of(row, model, vendor)
        self._found.add_usage(row.role, vendor, model, variable, *place, api)

    def _model_argument(self, node: Node, name: str) -> Node | None:
        given = syntax.given(node)
        for argument in given:
            pairs = self.names.pairs(argument)
            for key in vendors.arguments_of(name, pairs):
                return pairs[key]
        if given and name in vendors.TAKES_MODEL_FIRST:
            return given[0]
        return None

    def _gateway_usages(self) -> None:
        """Note the bodies of calls of the gateway's URL: objects with a model."""
        known = {usage.line for usage in self._found.usages if usage.file == self.name}
        for node in self._nodes:
            pairs = self.names.pairs(node) if node.type == "object" else {}
            value = pairs.get("model")
            if value is None:
                continue
            line = syntax.line(value)
            if known & set(range(syntax.line(node), line + 1)):
                continue
            model, variable = self.names.model(value)
            self._found.add_usage(DEFAULT_ROLE, "", model, variable, self.name, line)

    # --- the rest ---

    def scan(self) -> None:
        """Note keys, tools, destinations, prompts and where the agent starts."""
        for node in self._nodes:
            if node.type in STRINGS:
                self._found.add_text(syntax.string(node), self.name, syntax.line(node))
            elif node.type == "object":
                self._object(node)
            elif node.type == "call_expression":
                self._prompt_argument(node)
            if variable := syntax.environment_name(node):
                self._variable(variable, syntax.line(node))
        for name, value in self.names.texts().items():
            self._named_text(name, value)
        self._entry_point()

    def _named_text(self, name: str, value: Node) -> None:
        text, line = syntax.string(value), syntax.line(value)
        self._found.add_named_text([name], text, self.name, line)

    def _variable(self, name: str, line: int) -> None:
        self._found.add_text(name, self.name, line)
        if MODEL_VARIABLE.fullmatch(name):
            self._found.add_unused_variable(name, self.name, line)

    def _object(self, node: Node) -> None:
        pairs, text = self.names.pairs(node), self.names.text
        for name, value in pairs.items():
            if value.type in STRINGS:
                self._named_text(name, value)
        if "content" in pairs and text(pairs.get("role")) == "system":
            self._found.add_prompt(text(pairs["content"]))
        if text(pairs.get("type")) == "function" and "function" in pairs:
            name = text(self.names.pairs(pairs["function"]).get("name"))
            self._found.tools.update({name} - {""})

    def _prompt_argument(self, node: Node) -> None:
        if vendors.call_of(self.names.callee(node)) is None:
            return
        for argument in syntax.given(node):
            for name, value in self.names.pairs(argument).items():
                if name in SYSTEM_ARGUMENTS:
                    self._found.add_prompt(self.names.text(value))

    def _entry_point(self) -> None:
        for node in self._tree.root_node.named_children:
            text = syntax.source(node)[:200]
            if re.match(r"export (async )?(function|const) handler\b", text) or (
                re.match(r"(module\.)?exports\.handler\b", text)
            ):
                self._found.handlers.append(f"{self.name}:handler")
            elif re.match(r"if \(require\.main === module\)|(await )?main\(", text):
                self._found.entry_points.append(self.name)

"""One JavaScript or TypeScript file, read by tree-sitter.

https://github.com/tree-sitter/tree-sitter-typescript: the `tsx` grammar takes plain
JavaScript with and without JSX, too. A file with mistakes is read as far as possible.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from runagents.agents.detection import vendors
from runagents.agents.detection.findings import Findings
from runagents.agents.detection.vendors import (
    CHAT_TAIL,
    DEFAULT_ROLE,
    GATEWAY_VARIABLE,
    MODEL_ARGUMENTS,
    MODEL_VARIABLE,
    SYSTEM_ARGUMENTS,
)

MAX_STEPS = 8

# TypeScript's own `<Type>value` is no JSX: its plain files have a grammar of their own.
GRAMMARS: dict[str, Callable[[], object]] = {
    ".js": tree_sitter_typescript.language_tsx,
    ".mjs": tree_sitter_typescript.language_tsx,
    ".cjs": tree_sitter_typescript.language_tsx,
    ".jsx": tree_sitter_typescript.language_tsx,
    ".tsx": tree_sitter_typescript.language_tsx,
    ".ts": tree_sitter_typescript.language_typescript,
    ".mts": tree_sitter_typescript.language_typescript,
    ".cts": tree_sitter_typescript.language_typescript,
}
STRINGS = {"string", "template_string"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


class Maker(NamedTuple):
    """Who makes the model in `openai("gpt-4o")`, and the format it speaks."""

    vendor: str = ""
    api: str = ""


# https://ai-sdk.dev/providers/ai-sdk-providers: by the function's name, and by the name
# of the function that makes such a function.
MAKERS = {
    "openai": Maker("openai", vendors.RESPONSES),
    "azure": Maker("openai", vendors.AZURE),
    "anthropic": Maker("anthropic", vendors.MESSAGES),
    "bedrock": Maker("bedrock", vendors.BEDROCK),
    "ollama": Maker("ollama", vendors.OLLAMA),
    "createOpenAI": Maker("openai", vendors.RESPONSES),
    "createOpenAICompatible": Maker("openai", vendors.CHAT),
    "createAzure": Maker("openai", vendors.AZURE),
    "createAnthropic": Maker("anthropic", vendors.MESSAGES),
    "createAmazonBedrock": Maker("bedrock", vendors.BEDROCK),
    "createOllama": Maker("ollama", vendors.OLLAMA),
}


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
        self._nodes = list(_walk(root))
        if root.has_error:
            lines = [n.start_point.row + 1 for n in self._nodes if _is_mistake(n)]
            at = f", line {lines[0]}" if lines else ""
            found.problems.append(f"{name} has a mistake{at}; the rest was read.")
        self._values: dict[str, Node] = {}
        self._learn()

    def _learn(self) -> None:
        """Note what names stand for: variables, fields and defaults."""
        for node in self._nodes:
            match node.type:
                case "variable_declarator":
                    self._name_value(_field(node, "name"), _field(node, "value"))
                case "assignment_expression" | "assignment_pattern":
                    self._name_value(_field(node, "left"), _field(node, "right"))
                case "required_parameter":
                    self._name_value(_field(node, "pattern"), _field(node, "value"))
                case "public_field_definition":
                    name = _field(node, "name")
                    self._name_value(name, _field(node, "value"), "this.")

    def _name_value(
        self, name: Node | None, value: Node | None, prefix: str = ""
    ) -> None:
        if name is not None and value is not None and (dotted := _dotted(name)):
            self._values.setdefault(prefix + dotted, value)

    # --- models ---

    def find_models(self) -> None:
        """Note every call of a model."""
        calls_gateway = False
        for node in self._nodes:
            if node.type in {"call_expression", "new_expression"}:
                self._call(node)
            elif node.type in STRINGS:
                calls_gateway = calls_gateway or _string(node).endswith(CHAT_TAIL)
            elif node.type in {"property_identifier", "string_fragment"}:
                calls_gateway = calls_gateway or _source(node) == GATEWAY_VARIABLE
        if calls_gateway:
            self._gateway_usages()

    def _call(self, node: Node) -> None:
        row = vendors.call_of(self._callee(node))
        if row is None:
            return
        value = self._model_argument(node, row.name)
        model, variable = self._model(value) if value is not None else ("", "")
        if not vendors.counts(row, is_given=value is not None, named=model or variable):
            return
        maker = self._maker_in(value)
        vendor, place = row.vendor or maker.vendor, (self.name, _line(node))
        api = maker.api if maker.api and row.role == "chat" else ""
        api = api or vendors.api_of(row, model, vendor)
        self._found.add_usage(row.role, vendor, model, variable, *place, api)

    def _callee(self, node: Node) -> str:
        """Return the dotted name of what is called; a client made here by its class."""
        callee = _field(node, "function") or _field(node, "constructor")
        dotted = _dotted(callee) if callee is not None else ""
        first, dot, rest = dotted.partition(".")
        made = self._values.get(first)
        if made is not None and made.type == "new_expression":
            constructor = _field(made, "constructor")
            first = _dotted(constructor).lower() if constructor is not None else first
        return f"{first}{dot}{rest}"

    def _model_argument(self, node: Node, name: str) -> Node | None:
        arguments = _field(node, "arguments")
        given = arguments.named_children if arguments is not None else []
        for argument in given:
            pairs = self._pairs(argument)
            for key in MODEL_ARGUMENTS:
                if key in pairs:
                    return pairs[key]
        if given and name in vendors.TAKES_MODEL_FIRST:
            return given[0]
        return None

    def _pairs(self, node: Node, steps: int = 0) -> dict[str, Node]:
        """Return the keys and values of an object, spread and named ones included."""
        if node.type == "identifier" and steps < MAX_STEPS:
            known = self._values.get(_source(node))
            return self._pairs(known, steps + 1) if known is not None else {}
        found: dict[str, Node] = {}
        for child in node.named_children if node.type == "object" else []:
            match child.type:
                case "pair":
                    key, value = _field(child, "key"), _field(child, "value")
                    if key is not None and value is not None:
                        found[_string(key) or _source(key)] = value
                case "shorthand_property_identifier":
                    found[_source(child)] = self._values.get(_source(child), child)
                case "spread_element" if steps < MAX_STEPS and child.named_children:
                    spread = self._pairs(child.named_children[0], steps + 1)
                    found = {**found, **spread}
        return found

    def _model(self, value: Node, steps: int = 0) -> tuple[str, str]:
        """Return the model id in an expression, and the variable it comes from."""
        if steps > MAX_STEPS:
            return "", ""
        if value.type in STRINGS and not _has_holes(value):
            return _string(value), ""
        if variable := _environment_name(value):
            return "", variable
        match value.type:
            case "identifier" | "member_expression":
                known = self._values.get(_dotted(value))
                return self._model(known, steps + 1) if known is not None else ("", "")
            case "binary_expression" | "ternary_expression":
                return self._either(value, steps)
            case "call_expression":
                arguments = _field(value, "arguments")
                if self._maker_in(value).api and arguments and arguments.named_children:
                    return self._model(arguments.named_children[0], steps + 1)
            case "non_null_expression" | "as_expression" | "parenthesized_expression":
                if value.named_children:
                    return self._model(value.named_children[0], steps + 1)
        return "", ""

    def _either(self, value: Node, steps: int) -> tuple[str, str]:
        """Return what ``a || b``, ``a ?? b`` and ``c ? a : b`` come to."""
        first = _field(value, "left") or _field(value, "consequence")
        last = _field(value, "right") or _field(value, "alternative")
        if first is None or last is None:
            return "", ""
        model, variable = self._model(first, steps + 1)
        return model or self._model(last, steps + 1)[0], variable

    def _maker_in(self, value: Node | None) -> Maker:
        """Return who makes the model in an expression.

        The AI SDK's `openai()` speaks the Responses API, `openai.chat()` does not.
        """
        if value is None or value.type != "call_expression":
            return Maker()
        callee = _field(value, "function")
        first, _, rest = (_dotted(callee) if callee is not None else "").partition(".")
        made = self._values.get(first)
        if made is not None and made.type == "call_expression":
            first = _dotted(made).rpartition(".")[2]
        maker = MAKERS.get(first, Maker())
        is_chat = maker.api == vendors.RESPONSES and rest in {"chat", "completion"}
        return maker._replace(api=vendors.CHAT) if is_chat else maker

    def _gateway_usages(self) -> None:
        """Note the bodies of calls of the gateway's URL: objects with a model."""
        known = {usage.line for usage in self._found.usages if usage.file == self.name}
        for node in self._nodes:
            value = self._pairs(node).get("model") if node.type == "object" else None
            if value is None or known & set(range(_line(node), _line(value) + 1)):
                continue
            model, variable = self._model(value)
            line = _line(value)
            self._found.add_usage(DEFAULT_ROLE, "", model, variable, self.name, line)

    # --- the rest ---

    def scan(self) -> None:
        """Note keys, tools, destinations, prompts and where the agent starts."""
        for node in self._nodes:
            if node.type in STRINGS:
                self._found.add_text(_string(node), self.name, _line(node))
            elif node.type == "object":
                self._object(node)
            elif node.type == "call_expression":
                self._prompt_argument(node)
            if variable := _environment_name(node):
                self._variable(variable, _line(node))
        for name, value in self._values.items():
            if value.type in STRINGS:
                text, line = _string(value), _line(value)
                self._found.add_named_text([name], text, self.name, line)
        self._entry_point()

    def _variable(self, name: str, line: int) -> None:
        self._found.add_text(name, self.name, line)
        if MODEL_VARIABLE.fullmatch(name):
            self._found.add_unused_variable(name, self.name, line)

    def _object(self, node: Node) -> None:
        pairs = self._pairs(node)
        for name, value in pairs.items():
            if value.type in STRINGS:
                text, line = _string(value), _line(value)
                self._found.add_named_text([name], text, self.name, line)
        if "content" in pairs and self._text(pairs.get("role")) == "system":
            self._found.add_prompt(self._text(pairs["content"]))
        if self._text(pairs.get("type")) == "function" and "function" in pairs:
            name = self._text(self._pairs(pairs["function"]).get("name"))
            self._found.tools.update({name} - {""})

    def _prompt_argument(self, node: Node) -> None:
        arguments = _field(node, "arguments")
        if vendors.call_of(self._callee(node)) is None or arguments is None:
            return
        for argument in arguments.named_children:
            for name, value in self._pairs(argument).items():
                if name in SYSTEM_ARGUMENTS:
                    self._found.add_prompt(self._text(value))

    def _text(self, value: Node | None) -> str:
        """Return a text, or the one that a name stands for; empty for all else."""
        if value is not None and value.type == "identifier":
            value = self._values.get(_source(value))
        if value is None or value.type not in STRINGS or _has_holes(value):
            return ""
        return _string(value)

    def _entry_point(self) -> None:
        for node in self._tree.root_node.named_children:
            text = _source(node)[:200]
            if re.match(r"export (async )?(function|const) handler\b", text) or (
                re.match(r"(module\.)?exports\.handler\b", text)
            ):
                self._found.handlers.append(f"{self.name}:handler")
            elif re.match(r"if \(require\.main === module\)|(await )?main\(", text):
                self._found.entry_points.append(self.name)


def _walk(root: Node) -> Iterator[Node]:
    """Yield all nodes in the order of the text, without recursion."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def _field(node: Node, name: str) -> Node | None:
    return node.child_by_field_name(name)


def _is_mistake(node: Node) -> bool:
    return node.type == "ERROR" or node.is_missing


def _line(node: Node) -> int:
    return int(node.start_point.row) + 1


def _source(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _has_holes(node: Node) -> bool:
    return any(child.type == "template_substitution" for child in node.named_children)


def _string(node: Node) -> str:
    """Return a string's text; of a template what stands before its first hole."""
    if node.type not in STRINGS:
        return ""
    parts = []
    for child in node.named_children:
        match child.type:
            case "string_fragment":
                parts.append(_source(child))
            case "escape_sequence":
                parts.append(ESCAPES.get(_source(child)[1:], _source(child)[1:]))
            case _:
                break
    return "".join(parts)


def _dotted(node: Node) -> str:
    """Return ``a.b.c`` for members of names, calls and awaits in between left out."""
    parts: list[str] = []
    current: Node | None = node
    while current is not None:
        match current.type:
            case "member_expression":
                name = _field(current, "property")
                parts.append(_source(name) if name is not None else "")
                current = _field(current, "object")
            case "call_expression":
                current = _field(current, "function")
            case "new_expression":
                current = _field(current, "constructor")
            case (
                "parenthesized_expression" | "await_expression" | "non_null_expression"
            ):
                current = next(iter(current.named_children), None)
            case "identifier" | "this" | "property_identifier":
                parts.append(_source(current))
                current = None
            case _:
                current = None
    return ".".join(reversed(parts))


ENVIRONMENTS = {"process.env", "import.meta.env", "Bun.env"}


def _environment_name(node: Node) -> str:
    """Return NAME of ``process.env.NAME``, ``process.env["NAME"]`` and the like."""
    match node.type:
        case "member_expression":
            source, name = _field(node, "object"), _field(node, "property")
            if source is not None and _source(source) in ENVIRONMENTS:
                return _source(name) if name is not None else ""
        case "subscript_expression":
            source, index = _field(node, "object"), _field(node, "index")
            if source is not None and _source(source) in ENVIRONMENTS:
                return _string(index) if index is not None else ""
        case "call_expression":
            callee, arguments = _field(node, "function"), _field(node, "arguments")
            given = arguments.named_children if arguments is not None else []
            if callee is not None and given and _dotted(callee) == "Deno.env.get":
                return _string(given[0])
    return ""

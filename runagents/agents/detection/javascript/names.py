"""What the names in a script stand for, in it and in the files it imports."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import tree_sitter_typescript
from tree_sitter import Node

from runagents.agents.detection.javascript import syntax
from runagents.agents.detection.javascript.makers import Maker, maker_of
from runagents.agents.detection.javascript.syntax import STRINGS
from runagents.agents.detection.modules import script_file

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

DEFAULT, EXPORTS = "default", "module.exports"


class Found(NamedTuple):
    """An expression, and the names of the file that it stands in."""

    names: "JavaScriptNames"
    value: Node


class JavaScriptNames:
    """The names of one file: variables, fields, defaults, imports."""

    def __init__(self, file: str, nodes: Collection[Node]) -> None:
        self._file = file
        self._values: dict[str, Node] = {}
        # Local name -> where it comes from, and its name there; empty for all of it.
        self._imported: dict[str, tuple[str, str]] = {}
        self._others: Mapping[str, JavaScriptNames] = {}
        for node in nodes:
            self._learn(node)

    def link(self, others: "Mapping[str, JavaScriptNames]") -> None:
        """Know the names of the other files of the upload, by their paths."""
        self._others = others

    def texts(self) -> dict[str, Node]:
        """Return the names that stand for a text."""
        return {k: value for k, value in self._values.items() if value.type in STRINGS}

    def _learn(self, node: Node) -> None:
        field = syntax.field
        match node.type:
            case "variable_declarator" if required := syntax.required(node):
                self._imported |= required
            case "variable_declarator":
                self._name_value(field(node, "name"), field(node, "value"))
            case "assignment_expression" | "assignment_pattern":
                self._name_value(field(node, "left"), field(node, "right"))
            case "required_parameter":
                self._name_value(field(node, "pattern"), field(node, "value"))
            case "public_field_definition":
                self._name_value(field(node, "name"), field(node, "value"), "this.")
            case "import_statement":
                self._imported |= syntax.imported(node)
            case "export_statement":
                self._imported |= syntax.imported(node)
                if value := field(node, "value"):
                    self._values.setdefault(DEFAULT, value)

    def _name_value(
        self, name: Node | None, value: Node | None, prefix: str = ""
    ) -> None:
        if name is None or value is None:
            return
        if dotted := syntax.dotted(name):
            self._values.setdefault(prefix + dotted, value)

    # --- what a name stands for ---

    def find(self, dotted: str, steps: int = 0) -> Found | None:
        """Return what `dotted` was set to, here or in a file that it comes from."""
        if dotted in self._values:
            return Found(self, syntax.unwrapped(self._values[dotted]))
        if not dotted or steps > MAX_STEPS:
            return None
        owner, _, name = dotted.rpartition(".")
        if owner and (found := self.find(owner, steps + 1)):
            value = found.names.pairs(found.value, steps + 1).get(name)
            if value is not None:
                return found._replace(value=value)
        return self._elsewhere(dotted, steps)

    def _elsewhere(self, dotted: str, steps: int) -> Found | None:
        first, _, rest = dotted.partition(".")
        if first not in self._imported:
            return None
        module, name = self._imported[first]
        file = script_file(self._file, module, self._others, GRAMMARS)
        if file is None or file == self._file:
            return None
        names = self._others[file]
        inside = ".".join(part for part in (name, rest) if part)
        for wanted in _exported(inside):
            if found := names.find(wanted, steps + 1):
                return found
        return None

    def callee(self, node: Node) -> str:
        """Return the dotted name of what is called; a client made here by its class."""
        callee = syntax.field(node, "function") or syntax.field(node, "constructor")
        dotted = syntax.dotted(callee) if callee is not None else ""
        first, dot, rest = dotted.partition(".")
        made = self._values.get(first)
        if made is not None and made.type == "new_expression":
            constructor = syntax.field(made, "constructor")
            if constructor is not None:
                first = syntax.dotted(constructor).lower()
        return f"{first}{dot}{rest}"

    # --- what an expression comes to ---

    def pairs(self, node: Node, steps: int = 0) -> dict[str, Node]:
        """Return the keys and values of an object, spread and named ones included."""
        if node.type == "identifier" and steps < MAX_STEPS:
            known = self.find(syntax.source(node), steps + 1)
            return known.names.pairs(known.value, steps + 1) if known else {}
        found: dict[str, Node] = {}
        for child in node.named_children if node.type == "object" else []:
            match child.type:
                case "pair":
                    key = syntax.field(child, "key")
                    value = syntax.field(child, "value")
                    if key is not None and value is not None:
                        found[syntax.string(key) or syntax.source(key)] = value
                case "shorthand_property_identifier":
                    name = syntax.source(child)
                    found[name] = self._values.get(name, child)
                case "spread_element" if steps < MAX_STEPS and child.named_children:
                    spread = self.pairs(child.named_children[0], steps + 1)
                    found = {**found, **spread}
        return found

    def text(self, value: Node | None) -> str:
        """Return a text, or the one that a name stands for; empty for all else."""
        if value is not None and value.type in syntax.NAMES:
            found = self.find(syntax.dotted(value))
            value = found.value if found else None
        if value is None or value.type not in STRINGS or syntax.has_holes(value):
            return ""
        return syntax.string(value)

    def model(self, value: Node, steps: int = 0) -> tuple[str, str]:
        """Return the model id in an expression, and the variable it comes from."""
        value = syntax.unwrapped(value)
        if steps > MAX_STEPS:
            return "", ""
        if value.type in STRINGS and not syntax.has_holes(value):
            return syntax.string(value), ""
        if variable := syntax.environment_name(value):
            return "", variable
        if value.type in syntax.NAMES:
            found = self.find(syntax.dotted(value), steps)
            return found.names.model(found.value, steps + 1) if found else ("", "")
        if value.type in {"binary_expression", "ternary_expression"}:
            return self._either(value, steps)
        given = syntax.given(value)
        if value.type == "call_expression" and given and self.maker(value).api:
            return self.model(given[0], steps + 1)
        return "", ""

    def _either(self, value: Node, steps: int) -> tuple[str, str]:
        """Return what ``a || b``, ``a ?? b`` and ``c ? a : b`` come to."""
        first = syntax.field(value, "left") or syntax.field(value, "consequence")
        last = syntax.field(value, "right") or syntax.field(value, "alternative")
        if first is None or last is None:
            return "", ""
        model, variable = self.model(first, steps + 1)
        return model or self.model(last, steps + 1)[0], variable

    def maker(self, value: Node | None, steps: int = 0) -> Maker:
        """Return who makes the model in an expression."""
        if value is None or steps > MAX_STEPS:
            return Maker()
        value = syntax.unwrapped(value)
        if value.type in syntax.NAMES:
            found = self.find(syntax.dotted(value), steps)
            return found.names.maker(found.value, steps + 1) if found else Maker()
        if value.type != "call_expression":
            return Maker()
        callee = syntax.field(value, "function")
        dotted = syntax.dotted(callee) if callee is not None else ""
        first, _, rest = dotted.partition(".")
        made = self.find(first)
        if made is not None and made.value.type == "call_expression":
            first = syntax.dotted(made.value).rpartition(".")[2]
        return maker_of(first, rest)


def _exported(name: str) -> list[str]:
    """Return what `name` of a file may be called in it; empty for its default."""
    if not name or name == DEFAULT:
        return [DEFAULT, EXPORTS]
    inside = name.removeprefix(f"{DEFAULT}.")
    return [name, f"{DEFAULT}.{inside}", f"exports.{inside}", f"{EXPORTS}.{inside}"]

"""What the nodes of a JavaScript or TypeScript tree stand for. Pure functions.

The kinds of nodes are those of https://github.com/tree-sitter/tree-sitter-typescript.
"""

from collections.abc import Iterator

from tree_sitter import Node

STRINGS = {"string", "template_string"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}
NAMES = {"identifier", "member_expression", "shorthand_property_identifier"}
WRAPPERS = {
    "as_expression",
    "await_expression",
    "non_null_expression",
    "parenthesized_expression",
    "satisfies_expression",
}
ENVIRONMENTS = {"process.env", "import.meta.env", "Bun.env"}


def walk(root: Node) -> Iterator[Node]:
    """Yield all nodes in the order of the text, without recursion."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def field(node: Node, name: str) -> Node | None:
    """Return the child of `node` that has a name in the grammar."""
    return node.child_by_field_name(name)


def unwrapped(node: Node) -> Node:
    """Return what stands in brackets, before `as`, after `await` and the like."""
    while node.type in WRAPPERS and node.named_children:
        node = node.named_children[0]
    return node


def given(node: Node) -> list[Node]:
    """Return what a call is handed."""
    arguments = field(node, "arguments")
    return arguments.named_children if arguments is not None else []


def is_mistake(node: Node) -> bool:
    """Tell whether the text is wrong here."""
    return node.type == "ERROR" or node.is_missing


def line(node: Node) -> int:
    """Return the number of the line where a node begins."""
    return int(node.start_point.row) + 1


def source(node: Node) -> str:
    """Return the text of a node."""
    return (node.text or b"").decode(errors="replace")


def has_holes(node: Node) -> bool:
    """Tell whether a template has parts that are known at run time only."""
    return any(child.type == "template_substitution" for child in node.named_children)


def string(node: Node) -> str:
    """Return a string's text; of a template what stands before its first hole."""
    if node.type not in STRINGS:
        return ""
    parts = []
    for child in node.named_children:
        match child.type:
            case "string_fragment":
                parts.append(source(child))
            case "escape_sequence":
                parts.append(ESCAPES.get(source(child)[1:], source(child)[1:]))
            case _:
                break
    return "".join(parts)


def dotted(node: Node) -> str:
    """Return ``a.b.c`` for members of names, calls and awaits in between left out."""
    parts: list[str] = []
    current: Node | None = node
    while current is not None:
        match current.type:
            case "member_expression":
                name = field(current, "property")
                parts.append(source(name) if name is not None else "")
                current = field(current, "object")
            case "call_expression":
                current = field(current, "function")
            case "new_expression":
                current = field(current, "constructor")
            case kind if kind in WRAPPERS:
                current = next(iter(current.named_children), None)
            case (
                "identifier"
                | "this"
                | "property_identifier"
                | "shorthand_property_identifier"
            ):
                parts.append(source(current))
                current = None
            case _:
                current = None
    return ".".join(reversed(parts))


def environment_name(node: Node) -> str:
    """Return NAME of ``process.env.NAME``, ``process.env["NAME"]`` and the like."""
    match node.type:
        case "member_expression":
            place, name = field(node, "object"), field(node, "property")
            if place is not None and source(place) in ENVIRONMENTS:
                return source(name) if name is not None else ""
        case "subscript_expression":
            place, index = field(node, "object"), field(node, "index")
            if place is not None and source(place) in ENVIRONMENTS:
                return string(index) if index is not None else ""
        case "call_expression":
            if given(node) and dotted(node) == "Deno.env.get":
                return string(given(node)[0])
    return ""


# --- imports: local name -> (module, its name there; empty for all of it) ---


def imported(node: Node) -> dict[str, tuple[str, str]]:
    """Return what an ``import``, or an ``export ... from``, brings in."""
    place = field(node, "source")
    module = string(place) if place is not None else ""
    found = {}
    for child in walk(node) if module else ():
        match child.type:
            case "import_specifier" | "export_specifier":
                name = field(child, "name")
                alias = field(child, "alias") or name
                if name is not None and alias is not None:
                    found[source(alias)] = (module, source(name))
            case "namespace_import":
                found[source(child.named_children[0])] = (module, "")
            case "import_clause" if child.named_children[0].type == "identifier":
                found[source(child.named_children[0])] = (module, "default")
    return found


def required(node: Node) -> dict[str, tuple[str, str]]:
    """Return what ``const ... = require(...)`` brings in."""
    name, value = field(node, "name"), field(node, "value")
    if name is None or value is None or dotted(value) != "require" or not given(value):
        return {}
    module = string(given(value)[0])
    if name.type == "identifier":
        return {source(name): (module, "")}
    found = {}
    for child in name.named_children:
        key, alias = field(child, "key"), field(child, "value")
        if key is not None and alias is not None:
            found[source(alias)] = (module, source(key))
        elif child.type == "shorthand_property_identifier_pattern":
            found[source(child)] = (module, source(child))
    return found

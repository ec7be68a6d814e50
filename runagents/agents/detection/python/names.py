"""What the names in a Python file stand for, in it and in the files it imports."""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runagents.agents.detection.modules import python_file
from runagents.agents.detection.python import syntax

MAX_STEPS = 8


class Found(NamedTuple):
    """An expression, and the names of the file that it stands in."""

    names: "PythonNames"
    value: ast.expr


class PythonNames:
    """The names of one file: constants, fields, default arguments, imports."""

    def __init__(self, file: str, nodes: list[ast.AST]) -> None:
        self._file = file
        self._values: dict[str, ast.expr] = {}
        self._imported: dict[str, str] = {}
        self._classes: set[str] = set()
        self._others: Mapping[str, PythonNames] = {}
        for node in nodes:
            self._learn(node)

    def link(self, others: "Mapping[str, PythonNames]") -> None:
        """Know the names of the other files of the upload, by their paths."""
        self._others = others

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._values[syntax.dotted(target)] = value
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._values[syntax.dotted(target)] = value
            case ast.arguments():
                self._learn_defaults(node)
            case ast.ClassDef(name=name):
                self._classes.add(name)
            case ast.Import(names=names):
                for alias in names:
                    self._imported[alias.asname or alias.name] = alias.name
            case ast.ImportFrom(module=module, names=names, level=level):
                start = "." * level + (f"{module}." if module else "")
                for alias in names:
                    self._imported[alias.asname or alias.name] = start + alias.name

    def _learn_defaults(self, node: ast.arguments) -> None:
        positional = [*node.posonlyargs, *node.args]
        start = len(positional) - len(node.defaults)
        pairs = [
            *zip(positional[start:], node.defaults, strict=True),
            *zip(node.kwonlyargs, node.kw_defaults, strict=True),
        ]
        for argument, value in pairs:
            if value is not None:
                self._values.setdefault(argument.arg, value)

    # --- what a name stands for ---

    def find(self, dotted: str, steps: int = 0) -> Found | None:
        """Return what `dotted` was set to, here or in a file that it comes from."""
        if dotted in self._values:
            return Found(self, self._values[dotted])
        if not dotted or steps > MAX_STEPS:
            return None
        return self._field(dotted) or self._elsewhere(dotted, steps)

    def _field(self, dotted: str) -> Found | None:
        """Return a field of a class that is made here, such as `settings.model`."""
        owner, _, name = dotted.rpartition(".")
        made = self._values.get(owner)
        if isinstance(made, ast.Call):
            owner = syntax.dotted(made.func)
        if owner in self._classes and name in self._values:
            return Found(self, self._values[name])
        return None

    def _elsewhere(self, dotted: str, steps: int) -> Found | None:
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            start = self._imported.get(".".join(parts[:end]))
            if start is None:
                continue
            # `.config.MODEL` keeps its leading dots with its first part.
            level = len(start) - len(start.lstrip("."))
            full = [*start[level:].split("."), *parts[end:]]
            return self._in_modules("." * level, full, steps)
        return None

    def _in_modules(self, dots: str, full: list[str], steps: int) -> Found | None:
        for cut in range(len(full) - 1, 0, -1):
            module = dots + ".".join(full[:cut])
            file = python_file(self._file, module, self._others)
            if file is not None and file != self._file:
                return self._others[file].find(".".join(full[cut:]), steps + 1)
        return None

    def full_name(self, node: ast.AST) -> str:
        """Return the dotted name of a callee, imported names written out."""
        dotted = syntax.dotted(node)
        first, dot, rest = dotted.partition(".")
        start = self._imported.get(first, first)
        if start == first and isinstance(made := self._values.get(first), ast.Call):
            start = syntax.dotted(made.func)
            head, more, tail = start.partition(".")
            start = f"{self._imported.get(head, head)}{more}{tail}"
        return f"{start}{dot}{rest}"

    # --- what an expression comes to ---

    def named_arguments(self, node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        """Yield keyword arguments, also those of a ``**mapping`` known by name."""
        for keyword in node.keywords:
            if keyword.arg is not None:
                yield keyword.arg, keyword.value
                continue
            found = self.find(syntax.dotted(keyword.value))
            yield from syntax.pairs(found.value if found else keyword.value)

    def text(self, value: ast.expr | None) -> str:
        """Return a text, or the one that a name stands for; empty for all else."""
        if isinstance(value, ast.Name | ast.Attribute):
            found = self.find(syntax.dotted(value))
            value = found.value if found else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
        return ""

    def model(self, value: ast.expr, steps: int = 0) -> tuple[str, str]:
        """Return the model id in an expression, and the variable it comes from."""
        if steps > MAX_STEPS:
            return "", ""
        match value:
            case ast.Constant(value=str(text)):
                return text, ""
            case ast.Name() | ast.Attribute():
                if found := self.find(syntax.dotted(value), steps):
                    return found.names.model(found.value, steps + 1)
            case ast.BoolOp(op=ast.Or(), values=[first, *rest]):
                return self._either(first, rest[-1], steps)
            case ast.IfExp(body=body, orelse=orelse):
                return self._either(body, orelse, steps)
            case ast.Subscript(value=source, slice=ast.Constant(value=str(key))):
                found = self.find(syntax.dotted(source), steps) or Found(self, source)
                known = dict(syntax.pairs(found.value))
                if key in known:
                    return found.names.model(known[key], steps + 1)
        if variable := syntax.environment_name(value):
            return self._default_of(value, steps), variable
        return "", ""

    def _either(self, first: ast.expr, last: ast.expr, steps: int) -> tuple[str, str]:
        model, variable = self.model(first, steps + 1)
        if not model:
            model = self.model(last, steps + 1)[0]
        return model, variable

    def _default_of(self, value: ast.expr, steps: int) -> str:
        match value:
            case ast.Call(args=[_, default, *_]):
                return self.model(default, steps + 1)[0]
            case ast.Call(keywords=[ast.keyword(arg="default", value=default), *_]):
                return self.model(default, steps + 1)[0]
        return ""

"""One Python file, read by `ast`."""

import ast
from collections.abc import Iterator

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


class PythonFile:
    """A parsed file: what its names stand for, and what is found in it."""

    def __init__(self, name: str, text: str, found: Findings) -> None:
        """Parse `text`; raises ValueError, in a sentence, where that fails."""
        self.name = name
        self._found = found
        try:
            self._tree = ast.parse(text)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            at = f", line {line}" if line else ""
            raise ValueError(f"{name} is not valid Python{at}.") from None
        except (RecursionError, MemoryError):
            raise ValueError(f"{name} is nested too deeply to be read.") from None
        self._nodes = list(ast.walk(self._tree))
        self._values: dict[str, ast.expr] = {}
        self._imported: dict[str, str] = {}
        self._learn()

    def _learn(self) -> None:
        """Note what names stand for: constants, default arguments, imports."""
        for node in self._nodes:
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._values[_dotted(target)] = value
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._values[_dotted(target)] = value
                case ast.arguments():
                    self._learn_defaults(node)
                case ast.Import(names=names):
                    for alias in names:
                        self._imported[alias.asname or alias.name] = alias.name
                case ast.ImportFrom(module=str(module), names=names):
                    for alias in names:
                        full = f"{module}.{alias.name}"
                        self._imported[alias.asname or alias.name] = full

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

    # --- models ---

    def find_models(self) -> None:
        """Note every call of a model."""
        calls_gateway = False
        for node in self._nodes:
            match node:
                case ast.Call():
                    self._call(node)
                case ast.Constant(value=str(text)):
                    is_url = text.endswith(CHAT_TAIL) or text == GATEWAY_VARIABLE
                    calls_gateway = calls_gateway or is_url
        if calls_gateway:
            self._gateway_usages()

    def _call(self, node: ast.Call) -> None:
        row = vendors.call_of(self._full_name(node.func))
        if row is None:
            return
        value = self._model_argument(node, row.name)
        model, variable = self._model(value) if value is not None else ("", "")
        if not vendors.counts(row, is_given=value is not None, named=model or variable):
            return
        place, api = (self.name, node.lineno), vendors.api_of(row, model)
        self._found.add_usage(row.role, row.vendor, model, variable, *place, api)

    def _model_argument(self, node: ast.Call, name: str) -> ast.expr | None:
        arguments = dict(self._named_arguments(node))
        for key in MODEL_ARGUMENTS:
            if key in arguments:
                return arguments[key]
        if node.args and name in vendors.TAKES_MODEL_FIRST:
            return node.args[0]
        return None

    def _named_arguments(self, node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        """Yield keyword arguments, also those of a ``**mapping`` known by name."""
        for keyword in node.keywords:
            if keyword.arg is not None:
                yield keyword.arg, keyword.value
                continue
            value = keyword.value
            if isinstance(value, ast.Name):
                value = self._values.get(value.id, value)
            yield from _pairs(value)

    def _model(self, value: ast.expr, steps: int = 0) -> tuple[str, str]:
        """Return the model id in an expression, and the variable it comes from."""
        if steps > MAX_STEPS:
            return "", ""
        match value:
            case ast.Constant(value=str(text)):
                return text, ""
            case ast.Name() | ast.Attribute() if _dotted(value) in self._values:
                return self._model(self._values[_dotted(value)], steps + 1)
            case ast.BoolOp(op=ast.Or(), values=[first, *rest]):
                return self._either(first, rest[-1], steps)
            case ast.IfExp(body=body, orelse=orelse):
                return self._either(body, orelse, steps)
            case ast.Subscript(value=source, slice=ast.Constant(value=str(key))):
                known = dict(_pairs(self._values.get(_dotted(source), source)))
                if key in known:
                    return self._model(known[key], steps + 1)
        if variable := _environment_name(value):
            return self._default_of(value, steps), variable
        return "", ""

    def _either(self, first: ast.expr, last: ast.expr, steps: int) -> tuple[str, str]:
        model, variable = self._model(first, steps + 1)
        if not model:
            model = self._model(last, steps + 1)[0]
        return model, variable

    def _default_of(self, value: ast.expr, steps: int) -> str:
        match value:
            case ast.Call(args=[_, default, *_]):
                return self._model(default, steps + 1)[0]
            case ast.Call(keywords=[ast.keyword(arg="default", value=default), *_]):
                return self._model(default, steps + 1)[0]
        return ""

    def _gateway_usages(self) -> None:
        """Note the bodies of calls of the gateway's URL: mappings with a model."""
        known = {usage.line for usage in self._found.usages if usage.file == self.name}
        for node in self._nodes:
            for key, value in _pairs(node):
                if key == "model" and value.lineno not in known:
                    model, variable = self._model(value)
                    line = value.lineno
                    self._found.add_usage(
                        DEFAULT_ROLE, "", model, variable, self.name, line
                    )

    # --- the rest ---

    def scan(self) -> None:
        """Note keys, tools, destinations, prompts and where the agent starts."""
        for node in self._nodes:
            match node:
                case ast.Assign(targets=targets, value=ast.Constant(value=str(text))):
                    names = [_dotted(target) for target in targets]
                    self._named_text(names, text, node.lineno)
                case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))):
                    self._named_text([name], text, node.value.lineno)
                case ast.Call():
                    self._prompt_argument(node)
                case ast.Dict():
                    self._mapping(node)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if any(_tail(each) == "tool" for each in node.decorator_list):
                        self._found.tools.add(node.name)
                case ast.Constant(value=str(text)):
                    self._found.add_text(text, self.name, node.lineno)
                    if MODEL_VARIABLE.fullmatch(text):
                        self._found.add_unused_variable(text, self.name, node.lineno)
        self._entry_point()

    def _named_text(self, names: list[str], text: str, line: int) -> None:
        self._found.add_named_text(names, text, self.name, line)

    def _prompt_argument(self, node: ast.Call) -> None:
        if vendors.call_of(self._full_name(node.func)) is None:
            return
        for name, value in self._named_arguments(node):
            if name in SYSTEM_ARGUMENTS:
                self._found.add_prompt(self._text(value))

    def _mapping(self, node: ast.Dict) -> None:
        """Note a message that the system speaks, and a tool's definition."""
        pairs = dict(_pairs(node))
        for name, value in pairs.items():
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                self._named_text([name], value.value, value.lineno)
        if "content" in pairs and self._text(pairs.get("role")) == "system":
            self._found.add_prompt(self._text(pairs["content"]))
        if self._text(pairs.get("type")) == "function" and "function" in pairs:
            name = self._text(dict(_pairs(pairs["function"])).get("name"))
            self._found.tools.update({name} - {""})

    def _text(self, value: ast.expr | None) -> str:
        """Return a text, or the one that a name stands for; empty for all else."""
        if isinstance(value, ast.Name):
            value = self._values.get(value.id)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
        return ""

    def _entry_point(self) -> None:
        for node in self._tree.body:
            match node:
                case (
                    ast.FunctionDef(name="handler")
                    | ast.AsyncFunctionDef(name="handler")
                ):
                    self._found.handlers.append(f"{self.name}:handler")
                case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                    self._found.entry_points.append(self.name)

    def _full_name(self, node: ast.AST) -> str:
        """Return the dotted name of a callee, imported names written out."""
        dotted = _dotted(node)
        first, dot, rest = dotted.partition(".")
        start = self._imported.get(first, first)
        if start == first and isinstance(made := self._values.get(first), ast.Call):
            start = _dotted(made.func)
            head, more, tail = start.partition(".")
            start = f"{self._imported.get(head, head)}{more}{tail}"
        return f"{start}{dot}{rest}"


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the text keys and values of ``{"a": b}`` and ``dict(a=b)``."""
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            for keyword in keywords:
                if keyword.arg is not None:
                    yield keyword.arg, keyword.value


def _dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for attributes of names, calls in between left out."""
    return ".".join(reversed(list(_parts(node))))


def _tail(node: ast.AST) -> str:
    return _dotted(node).rpartition(".")[2]


def _parts(node: ast.AST) -> Iterator[str]:
    while True:
        match node:
            case ast.Attribute(value=value, attr=attr):
                yield attr
                node = value
            case ast.Call(func=func):
                node = func
            case ast.Name(id=name):
                yield name
                return
            case _:
                return


def _environment_name(value: ast.expr) -> str:
    """Return NAME of ``os.environ["NAME"]``, ``os.getenv`` and the like.

    A function of the agent's own counts when what it is asked for is named as the
    platform names models.
    """
    match value:
        case ast.Subscript(value=source, slice=ast.Constant(value=str(name))):
            return name if _dotted(source).endswith("environ") else ""
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
            is_read = _dotted(func).endswith(("environ.get", "getenv"))
            return name if is_read or MODEL_VARIABLE.fullmatch(name) else ""
    return ""

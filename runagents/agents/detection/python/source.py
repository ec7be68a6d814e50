"""One Python file, read by `ast`."""

import ast
from collections.abc import Iterable

from runagents.agents.detection import vendors
from runagents.agents.detection.findings import Findings
from runagents.agents.detection.python import syntax
from runagents.agents.detection.python.names import PythonNames
from runagents.agents.detection.vendors import (
    CHAT_TAIL,
    DEFAULT_ROLE,
    GATEWAY_VARIABLE,
    MODEL_VARIABLE,
    SYSTEM_ARGUMENTS,
)


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
        self.names = PythonNames(name, self._nodes)

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
        row = vendors.call_of(self.names.full_name(node.func))
        if row is None:
            return
        arguments = dict(self.names.named_arguments(node))
        for value in self._model_arguments(node, arguments, row.name):
            unnamed = ("", vendors.DEFAULT_VARIABLES.get(row.name, ""))
            model, variable = self.names.model(value) if value else unnamed
            if vendors.counts(row, is_given=bool(value), named=model or variable):
                place = (self.name, node.lineno)
                api = vendors.api_of(row, model)
                self._found.add_usage(
                    row.role, row.vendor, model, variable, *place, api
                )

    def _model_arguments(
        self, node: ast.Call, arguments: dict[str, ast.expr], name: str
    ) -> Iterable[ast.expr | None]:
        """Return what a call is handed as its model, or None; some take several."""
        given = [arguments[key] for key in vendors.arguments_of(name, arguments)]
        if not given and node.args and name in vendors.TAKES_MODEL_FIRST:
            given = [node.args[0]]
        return given or [None]

    def _gateway_usages(self) -> None:
        """Note the bodies of calls of the gateway's URL: mappings with a model."""
        known = {usage.line for usage in self._found.usages if usage.file == self.name}
        for node in self._nodes:
            for key, value in syntax.pairs(node):
                if key == "model" and value.lineno not in known:
                    model, variable = self.names.model(value)
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
                    names = [syntax.dotted(target) for target in targets]
                    self._named_text(names, text, node.lineno)
                case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))):
                    self._named_text([name], text, node.value.lineno)
                case ast.Call():
                    self._prompt_argument(node)
                case ast.Dict():
                    self._mapping(node)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if any(syntax.tail(each) == "tool" for each in node.decorator_list):
                        self._found.tools.add(node.name)
                case ast.Constant(value=str(text)):
                    self._found.add_text(text, self.name, node.lineno)
                    if MODEL_VARIABLE.fullmatch(text):
                        self._found.add_unused_variable(text, self.name, node.lineno)
        self._entry_point()

    def _named_text(self, names: list[str], text: str, line: int) -> None:
        self._found.add_named_text(names, text, self.name, line)

    def _prompt_argument(self, node: ast.Call) -> None:
        if vendors.call_of(self.names.full_name(node.func)) is None:
            return
        for name, value in self.names.named_arguments(node):
            if name in SYSTEM_ARGUMENTS:
                self._found.add_prompt(self.names.text(value))

    def _mapping(self, node: ast.Dict) -> None:
        """Note a message that the system speaks, and a tool's definition."""
        pairs = dict(syntax.pairs(node))
        text = self.names.text
        for name, value in pairs.items():
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                self._named_text([name], value.value, value.lineno)
        if "content" in pairs and text(pairs.get("role")) == "system":
            self._found.add_prompt(text(pairs["content"]))
        if text(pairs.get("type")) == "function" and "function" in pairs:
            name = text(dict(syntax.pairs(pairs["function"])).get("name"))
            self._found.tools.update({name} - {""})

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

"""What the nodes of a Python tree stand for. Pure functions."""

import ast
from collections.abc import Iterator

from runagents.agents.detection.vendors import MODEL_VARIABLE


def pairs(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
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


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for attributes of names, calls in between left out."""
    return ".".join(reversed(list(_parts(node))))


def tail(node: ast.AST) -> str:
    """Return the last part of a dotted name."""
    return dotted(node).rpartition(".")[2]


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


def environment_name(value: ast.expr) -> str:
    """Return NAME of ``os.environ["NAME"]``, ``os.getenv`` and the like.

    A function of the agent's own counts when what it is asked for is named as the
    platform names models.
    """
    match value:
        case ast.Subscript(value=source, slice=ast.Constant(value=str(name))):
            return name if dotted(source).endswith("environ") else ""
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
            is_read = dotted(func).endswith(("environ.get", "getenv"))
            return name if is_read or MODEL_VARIABLE.fullmatch(name) else ""
    return ""

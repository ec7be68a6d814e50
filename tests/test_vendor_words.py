"""A vendor's words stand in its own module and translator, and nowhere else.

Shared code that knows a vendor is where the next vendor is forgotten. What must know
one nevertheless is in the table below, with the reason.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from providers.vendors import VENDORS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("gateway", "providers", "runagents")

# OpenAI's words are no vendor's: its format is the one that all here is told in.
HUB = "openai"
# The words by which a type is known, besides its name.
WORDS = {
    "anthropic": ("claude",),
    "bedrock": ("amazon", "amzn", "converse", "guardrail", r"\barn\b"),
}
SPEAKING = re.compile(
    "|".join(
        word for name in VENDORS if name != HUB for word in (name, *WORDS.get(name, ()))
    ),
    re.IGNORECASE,
)

# Module or folder -> why it knows a vendor.
ALLOWED: dict[str, str] = {
    "gateway/doors/__init__.py": "the table of doors",
    "gateway/doors/messages/": "a vendor's format, which its clients speak",
    "gateway/entry/views/models.py": "by what a vendor's clients are known",
    "gateway/entry/routes.py": "where a vendor's clients ask",
    "gateway/doors/ollama/": "a vendor's format, which its clients speak",
    "gateway/entry/views/ollama.py": "what a vendor's clients ask besides",
    "gateway/translators/__init__.py": "the table of translators",
    "runagents/reference/document.py": "names the formats of the doors",
    "providers/vendors/__init__.py": "the table of vendors",
    "providers/vendors/hosts.py": "where servers of many vendors keep their paths",
    "providers/vendors/presets.py": "ready-made starts, of every type",
    "providers/auth/aws.py": "AWS Signature is a way to authenticate; it signs for one "
    "service, whose API key may stand in for it",
    "providers/auth/aws_identity.py": "where AWS lends credentials to machines",
    "providers/auth/sigv4.py": "which headers AWS Signature covers",
    "providers/forms/credentials.py": "the names of what a secret for AWS may hold",
    "providers/key_shapes.py": "what keys of several vendors look like",
    "providers/options/table.py": "options that one vendor's translator reads",
    "runagents/connect/recipes/": "vendors' clients, by their names",
    "runagents/agents/detection/": "tells vendors' SDKs in agents' code by their names",
    "gateway/calls/counting/": "who counts tokens, and in which format",
    "gateway/calls/passages/": "a direct way leads to one vendor's format",
    "gateway/hub/answers/upstream_headers.py": "renames vendors' rate limit headers",
    "gateway/hub/errors/masking.py": "what keys of several vendors look like",
    "gateway/tracing/spans.py": "what OpenTelemetry calls a vendor",
    "gateway/translators/words.py": "words that other formats carry, too",
}


def _homes() -> set[str]:
    """Return where the words belong: each vendor's module, and its translator."""
    homes = {f"providers/vendors/{name}.py" for name in VENDORS}
    return homes | {f"gateway/translators/{name}/" for name in VENDORS}


def _docstrings(tree: ast.AST) -> set[int]:
    """Return the ids of the constants that are docstrings or lines of explanation."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the identifiers and strings that a node of code holds itself."""
    for _name, value in ast.iter_fields(node):
        if isinstance(value, str | bytes):
            yield value if isinstance(value, str) else value.decode(errors="replace")
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, str))


def _words(path: Path) -> set[str]:
    """Return the vendors' words in a module's code, comments and docstrings aside."""
    tree = ast.parse(path.read_text())
    explaining = _docstrings(tree)
    return {
        word.lower()
        for node in ast.walk(tree)
        if id(node) not in explaining
        for text in _texts(node)
        for word in SPEAKING.findall(text)
    }


@cache
def _speakers() -> dict[str, set[str]]:
    """Return the modules that use vendors' words outside of their homes."""
    homes = tuple(_homes())
    paths = {
        str(path.relative_to(ROOT)): path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
    }
    found = {
        name: _words(path) for name, path in paths.items() if not name.startswith(homes)
    }
    return {name: words for name, words in found.items() if words}


def test_no_other_code_speaks_of_a_vendor():
    allowed = tuple(ALLOWED)
    unexplained = {
        name: words
        for name, words in _speakers().items()
        if not name.startswith(allowed)
    }
    assert unexplained == {}


@pytest.mark.parametrize("path", ALLOWED)
def test_an_exception_is_still_needed(path):
    assert ALLOWED[path]
    assert any(name.startswith(path) for name in _speakers()), path

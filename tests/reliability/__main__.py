"""Write docs/reliability.md: `python -m tests.reliability`.

What a test proves is read from its source, so that no test need be run.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.reliability.items import ITEMS, PARTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"
HEAD = """# Reliability

What holds when clients, providers or the machine misbehave, and which tests prove it.
`python -m tests.reliability` writes this page from the tests; one of them fails where a
promise has none.
"""


@cache
def proofs() -> dict[str, list[str]]:
    """Return the tests that prove each item, as pytest names them."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, item in _marked(path):
            test = f"{path.relative_to(ROOT).as_posix()}::{name}"
            found.setdefault(item, []).append(test)
    return found


def _marked(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of each marked test in a file, with each item that it proves."""
    text = path.read_text()
    if "mark.proves(" not in text:
        return
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for mark in node.decorator_list:
            match mark:
                case ast.Call(func=ast.Attribute(attr="proves"), args=items):
                    yield from ((node.name, ast.literal_eval(each)) for each in items)


def page() -> str:
    """Return the page's text."""
    proved = proofs()
    lines = [HEAD]
    for part, title in PARTS.items():
        lines += [
            f"## {part}. {title}",
            "",
            "| | what holds | proved by |",
            "|---|---|---|",
        ]
        for item, promise in ITEMS.items():
            if item.partition(".")[0] == part:
                tests = "<br>".join(f"`{test}`" for test in proved.get(item, ()))
                lines.append(
                    f"| {item} | {promise[:1].upper()}{promise[1:]}. | {tests} |"
                )
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())

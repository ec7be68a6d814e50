"""Lines of CSV files, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from typing import Any


def lines(rows: Iterable[Iterable[Any]]) -> str:
    """Return `rows` as lines of CSV."""
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def inert(value: Any) -> Any:
    """Return `value`; a text as no spreadsheet takes it for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value

"""Reading model ids from a vendor's list."""

from typing import Any

MAX_MODELS = 5000
MAX_ID_LENGTH = 512


def ids(rows: Any, *names: str) -> list[str] | None:
    """Return the first of the keys `names` that each row has; None if there are none.

    What cannot be a model's id is left out.
    """
    if not isinstance(rows, list):
        return None
    found = []
    for row in rows:
        if isinstance(row, dict):
            found.append(next((row[name] for name in names if row.get(name)), None))
    return [
        each
        for each in found[:MAX_MODELS]
        if isinstance(each, str) and each.isprintable() and len(each) <= MAX_ID_LENGTH
    ]


def of_openai(answer: Any) -> list[str] | None:
    """Return the ids in a list in OpenAI's format.

    Some compatible servers answer a bare list, or call it `models`.
    """
    if isinstance(answer, dict):
        answer = answer.get("data", answer.get("models"))
    return ids(answer, "id", "name")

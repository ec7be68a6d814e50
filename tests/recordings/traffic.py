"""Where the recorded exchanges are, and what their bytes were.

They lie beside this repository, not in it; whoever needs them skips where they are not.
"""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

JSON = dict[str, Any]

TRAFFIC = Path(__file__).resolve().parents[2].parent / "shared" / "traffic"
ABSENT = "the recorded traffic is not beside the repository"


@cache
def records(name: str) -> tuple[JSON, ...]:
    """Return the records of one file, none where the folder is absent."""
    path = TRAFFIC / f"{name}.jsonl"
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


def body_of(record: JSON) -> bytes:
    """Return the body of a recorded answer."""
    response = record["response"]
    if "body_b64" in response:
        return base64.b64decode(response["body_b64"])
    return str(response["body_text"]).encode()

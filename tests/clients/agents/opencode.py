"""opencode; the first argument says with which package of the AI SDK.

https://opencode.ai/docs/cli/
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import programs
import telling

PACKAGE = sys.argv[1]


def settings(model: str) -> dict[str, Any]:
    """Return what goes into opencode.json, as the Connect page says."""
    provider = {
        "npm": PACKAGE,
        "name": "RunAgents",
        "options": {"baseURL": f"{telling.URL}/v1", "apiKey": telling.KEY},
        "models": {model: {}},
    }
    return {
        "provider": {"runagents": provider},
        "model": f"runagents/{model}",
        "permission": "allow",
        "autoupdate": False,
        "share": "disabled",
    }


def edit(model: str) -> str:
    """Let opencode change one file and read another, and return the verdict."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        programs.prepare(folder)
        question = programs.question(
            ("bash", {"command": "echo Sun > weather.txt", "description": "Write"}),
            ("read", {"filePath": str(folder / "rome.txt")}),
        )
        events = programs.run(
            ("opencode", "run", "--format", "json"),
            question,
            folder,
            OPENCODE_CONFIG_CONTENT=json.dumps(settings(model)),
            OPENCODE_DISABLE_MODELS_FETCH="1",
        )
        said = [e["part"]["text"] for e in events if e["type"] == "text"]
        return programs.verdict(folder, "".join(said))


telling.tell(edit=edit)

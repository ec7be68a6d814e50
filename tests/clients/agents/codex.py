"""Codex, set up as the Connect page says: changes a file with `apply_patch`.

https://developers.openai.com/codex/noninteractive
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import programs
import telling

SETTINGS = """\
model = "{model}"
model_provider = "runagents"
[model_providers.runagents]
name = "RunAgents"
base_url = "{url}/v1"
wire_api = "responses"
experimental_bearer_token = "{key}"
stream_max_retries = 0
request_max_retries = 0
"""
OPTIONS = (
    "--skip-git-repo-check",
    "--dangerously-bypass-approvals-and-sandbox",
    "--json",
)
PATCH = """\
apply_patch <<'EOF'
*** Begin Patch
*** Update File: weather.txt
@@
-Rain
+Sun
*** End Patch
EOF
"""


def edit(model: str) -> str:
    """Let Codex change one file and read another, and return the verdict."""
    question = programs.question(
        ("exec_command", {"cmd": PATCH}), ("exec_command", {"cmd": "cat rome.txt"})
    )
    with TemporaryDirectory() as made:
        folder = Path(made)
        home = programs.prepare(folder)
        settings = SETTINGS.format(model=model, url=telling.URL, key=telling.KEY)
        (home / "config.toml").write_text(settings)
        events = programs.run(
            ("codex", "exec", *OPTIONS, "-"), question, folder, CODEX_HOME=str(home)
        )
        items = [event.get("item", {}) for event in events]
        said = [x["text"] for x in items if x.get("type") == "agent_message"]
        return programs.verdict(folder, "".join(said))


telling.tell(edit=edit)

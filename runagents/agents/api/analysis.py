"""`/api/v1/analyze`: what an agent's sources hold, as RunAgents' SDK asks for it.

The shape is that of the SDK's `AnalysisResult`; `problems` and `obstacles` are ours.
"""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from providers.api.access import APIError, body_of, reply, too_many, workspace_api
from providers.api.object_reader import ObjectError
from providers.attempts import checks
from providers.models import WorkspaceKey
from runagents.agents.detection import Analysis, reading
from runagents.agents.detection.obstacles import obstacles
from runagents.agents.wizard import uploads


@workspace_api("POST")
def analyze(request: HttpRequest) -> HttpResponse:
    """Tell which models, tools and keys are in sources; they are read and forgotten."""
    files = _files(body_of(request))
    key: WorkspaceKey = request.workspace_key  # type: ignore[attr-defined]
    if wait := checks.add_now(f"analyze-{key.pk}"):
        raise too_many("analyses", wait)
    return reply(_object(async_to_sync(_read)(files)))


def _files(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the sources by name; raises APIError for what is not to be read."""
    files = body.get("files")
    is_read = isinstance(files, Mapping) and all(
        isinstance(text, str) for text in files.values()
    )
    if not is_read or not files:
        raise ObjectError(["files: must be an object of texts by file name."])
    try:
        return uploads.collect((), pasted=files.items()).texts
    except ValidationError as error:
        raise APIError(400, " ".join(error.messages)) from None


async def _read(files: Mapping[str, str]) -> Analysis:
    async with aclosing(reading.read(files)) as items:
        async for item in items:
            if isinstance(item, Analysis):
                return item
    raise RuntimeError("reading ended without an analysis")


def _object(found: Analysis) -> dict[str, Any]:
    vendors = sorted({usage.provider for usage in found.usages if usage.provider})
    return {
        "tools": [{"name": name} for name in found.tools],
        "model_providers": [{"provider": name} for name in vendors],
        "model_usages": [
            {
                "role": usage.role,
                "provider": usage.provider,
                "model": usage.model,
                # What the command line shows under "Model".
                "variable_name": usage.variable or usage.model,
                "api": usage.api,
                "file": usage.file,
                "line": usage.line,
            }
            for usage in found.usages
        ],
        "secrets": [
            {"file": key.file, "line": key.line, "description": key.kind}
            for key in found.keys
        ],
        "outbound_destinations": [{"host": host} for host in found.destinations],
        "detected_requirements": found.libraries,
        "entry_point": found.entry_point,
        "system_prompt_suggestion": found.system_prompt,
        "problems": found.problems,
        "obstacles": [each._asdict() for each in obstacles(found)],
    }

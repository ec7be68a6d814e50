"""Reads an agent's source: which models it uses, where it calls, which keys it holds.

Nothing of the source is imported or run. Python is read by `ast`, JavaScript and
TypeScript by tree-sitter. What cannot be read from the text alone (a model's name made
at run time) is reported without it. The value of a key that is found is never kept.

`reading.read` does it in a process of its own, which bounds time and memory and takes
a parser's crash; `analyse` does it right here, for sources that are trusted.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath

from runagents.agents.detection.findings import (
    Analysis,
    Bypass,
    Findings,
    HardcodedKey,
    ModelUsage,
)
from runagents.agents.detection.javascript.names import GRAMMARS
from runagents.agents.detection.javascript.source import JavaScriptFile
from runagents.agents.detection.project_files import ProjectFile, is_project_file
from runagents.agents.detection.python.source import PythonFile
from runagents.agents.detection.vendors import vendor_of

__all__ = [
    "MAX_FILES",
    "MAX_SOURCE",
    "MAX_TOTAL",
    "STAGES",
    "SUFFIXES",
    "Analysis",
    "Bypass",
    "HardcodedKey",
    "ModelUsage",
    "analyse",
    "is_project_file",
    "vendor_of",
]

MAX_FILES = 500
MAX_SOURCE = 1024 * 1024
MAX_TOTAL = 4 * MAX_SOURCE
SUFFIXES = (".py", *GRAMMARS)

STAGES = ("parsing", "detection", "scanning")
Progress = Callable[[str, str], None]


def analyse(files: Mapping[str, str], progress: Progress | None = None) -> Analysis:
    """Return what the sources in `files` (name -> text) hold.

    `progress` is told the stage and the file that comes next. A file that cannot be
    parsed is named in `problems`; the others still count, and it is searched for keys.
    """
    found = Findings()
    found.files = len(files)
    tell = progress or _nobody
    parsed: list[PythonFile | JavaScriptFile | ProjectFile] = []
    for name, text in sorted(files.items()):
        tell("parsing", name)
        if len(text) > MAX_SOURCE:
            found.problems.append(f"{name} is larger than 1 MiB and was not read.")
            continue
        try:
            parsed.append(_parse(name, text, found))
        except ValueError as error:
            found.problems.append(str(error))
            found.scan_lines(name, text)
    _link(parsed)
    # Last what stands beside the code: it fills in what that leaves open.
    parsed.sort(key=lambda file: isinstance(file, ProjectFile))
    for file in parsed:
        tell("detection", file.name)
        file.find_models()
    for file in parsed:
        tell("scanning", file.name)
        file.scan()
    return found.analysis()


def _parse(
    name: str, text: str, found: Findings
) -> PythonFile | JavaScriptFile | ProjectFile:
    """Return the parsed file; raises ValueError in a sentence."""
    suffix = PurePath(name).suffix.lower()
    if suffix in GRAMMARS:
        return JavaScriptFile(name, text, GRAMMARS[suffix], found)
    if is_project_file(name):
        return ProjectFile(name, text, found)
    return PythonFile(name, text, found)


def _link(files: Iterable[PythonFile | JavaScriptFile | ProjectFile]) -> None:
    """Let files know of each other what they may import, and what `.env` sets."""
    pythons, scripts = {}, {}
    for file in files:
        match file:
            case PythonFile():
                pythons[file.name] = file.names
            case JavaScriptFile():
                scripts[file.name] = file.names
            case ProjectFile():
                file.learn()
    for names in pythons.values():
        names.link(pythons)
    for each in scripts.values():
        each.link(scripts)


def _nobody(stage: str, name: str) -> None:
    """Hear of no progress."""

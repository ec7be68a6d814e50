"""What stands beside code: its environment, its dependencies, CrewAI's agents.

They tell models, addresses and libraries that the code itself leaves open. Of `.env`
nothing is kept but the names of models and the hosts of addresses: what else is in
there is what it is for, and nobody's business here.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from runagents.agents.detection.findings import KEY_NAME, Findings, is_shaped_as_key
from runagents.agents.detection.vendors import (
    CHAT,
    DEFAULT_ROLE,
    LIBRARY,
    Call,
    api_of,
    vendor_of,
)

REQUIREMENTS = re.compile(r"requirements[\w.-]*\.(?:txt|in)")
DOTENV = re.compile(r"\.env(?:\.[\w.-]+)?|[\w.-]+\.env")
YAML = re.compile(r"[\w.-]+\.ya?ml")

SETTING = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
MODEL_NAME = re.compile(r"(?:^|_)(?:MODEL|DEPLOYMENT)(?:_|$)", re.IGNORECASE)
MODEL = re.compile(r"[A-Za-z0-9][\w.:/@-]{0,199}")
REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")
# https://docs.crewai.com/en/concepts/agents: config/agents.yaml
YAML_MODEL = re.compile(
    r"\s*(?:llm|function_calling_llm|model)\s*:\s*[\"']?([^\"'#\s]+)[\"']?\s*(?:#.*)?"
)
ANY_LIBRARY = Call("", DEFAULT_ROLE, "")


def is_project_file(path: str) -> bool:
    """Tell whether a file tells something of the code that it stands beside."""
    name = PurePosixPath(path).name
    return name in {"pyproject.toml", "package.json"} or any(
        pattern.fullmatch(name) for pattern in (DOTENV, REQUIREMENTS, YAML)
    )


class ProjectFile:
    """A file beside code."""

    def __init__(self, name: str, text: str, found: Findings) -> None:
        self.name = name
        self._text = text
        self._found = found
        self._kind = PurePosixPath(name).name
        self._is_dotenv = bool(DOTENV.fullmatch(self._kind))

    def learn(self) -> None:
        """Note what the code's variables are set to, before the code is read."""
        for name, value, _line in self._settings():
            if _is_model(name, value):
                self._found.environment.setdefault(name, value)

    def find_models(self) -> None:
        """Note the models that are named here and nowhere in the code."""
        for name, value, line in self._settings():
            is_used = any(usage.variable == name for usage in self._found.usages)
            if _is_model(name, value) and vendor_of(value) and not is_used:
                self._found.add_usage(
                    DEFAULT_ROLE, "", value, name, self.name, line, CHAT
                )
        if YAML.fullmatch(self._kind):
            self._yaml_models()

    def _yaml_models(self) -> None:
        for number, line in enumerate(self._text.splitlines(), 1):
            match = YAML_MODEL.fullmatch(line)
            if match and vendor_of(match[1]) and not is_shaped_as_key(match[1]):
                api = api_of(ANY_LIBRARY, match[1])
                self._found.add_usage("chat", "", match[1], "", self.name, number, api)

    def scan(self) -> None:
        """Note addresses and libraries; keys where they do not belong."""
        for _name, value, line in self._settings():
            if value.startswith(("http://", "https://")):
                self._found.add_address(value, self.name, line)
        if not self._is_dotenv:
            self._found.scan_lines(self.name, self._text)
        libraries = {_plain(name) for name in self._dependencies()}
        self._found.libraries |= {name for name in libraries if LIBRARY.fullmatch(name)}

    def _settings(self) -> Iterable[tuple[str, str, int]]:
        """Yield the variables that a `.env` sets: name, value, line."""
        for number, line in enumerate(self._text.splitlines(), 1):
            match = SETTING.fullmatch(line) if self._is_dotenv else None
            if match:
                yield match[1], _unquoted(match[2]), number

    def _dependencies(self) -> Iterable[str]:
        """Return the packages that are asked for; raises nothing for a broken file."""
        try:
            if self._kind == "package.json":
                return _of_package(json.loads(self._text))
            if self._kind == "pyproject.toml":
                return _of_pyproject(tomllib.loads(self._text))
        except (ValueError, RecursionError):
            self._found.problems.append(f"{self.name} cannot be read.")
            return []
        if REQUIREMENTS.fullmatch(self._kind):
            return _names(self._text.splitlines())
        return []


def _is_model(name: str, value: str) -> bool:
    """Tell whether a setting names a model, and neither a key nor anything else."""
    if not MODEL_NAME.search(name) or KEY_NAME.search(name):
        return False
    return bool(MODEL.fullmatch(value)) and not is_shaped_as_key(value)


def _unquoted(value: str) -> str:
    if value[:1] in {"'", '"'}:
        return value[1:].partition(value[0])[0]
    return value.partition(" #")[0].strip()


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _names(requirements: Iterable[Any]) -> list[str]:
    texts = [each for each in requirements if isinstance(each, str)]
    return [match[1] for text in texts if (match := REQUIREMENT.match(text))]


def _of_package(package: Any) -> list[str]:
    groups = (_table(package, "dependencies"), _table(package, "devDependencies"))
    return [name for group in groups for name in group]


def _of_pyproject(project: Mapping[str, Any]) -> list[str]:
    own, poetry = _table(project, "project"), _table(project, "tool", "poetry")
    groups = [
        own.get("dependencies", []),
        *_table(own, "optional-dependencies").values(),
        *_table(project, "dependency-groups").values(),
        *_table(poetry, "dependencies"),
    ]
    flat = [each if isinstance(each, list) else [each] for each in groups]
    return _names(text for group in flat for text in group)


def _table(found: Any, *keys: str) -> Mapping[str, Any]:
    """Return the table at the end of a path of keys; empty where there is none."""
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}

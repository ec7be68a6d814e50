"""What several files add up to, whatever language they are written in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from providers import key_shapes
from runagents.agents.detection.vendors import (
    CHAT,
    MODEL_VARIABLE,
    TOOL_VARIABLE,
    is_past_the_gateway,
    vendor_of,
)

MAX_PROMPT = 20_000
MAX_EACH = 500


@dataclass(frozen=True)
class ModelUsage:
    """A place that calls a model. `model` is empty where it is not written down.

    `provider` is the vendor whose library or model this is, if that can be told;
    `variable` the environment variable that the model's name comes from; `api` the
    format that is spoken (vendors.py names them).
    """

    role: str
    provider: str
    model: str
    variable: str
    file: str
    line: int
    api: str = "chat"


@dataclass(frozen=True)
class Bypass:
    """An address in the source at which a vendor is reached, past the gateway."""

    host: str
    file: str
    line: int


@dataclass(frozen=True)
class HardcodedKey:
    """A credential in the source: its kind and place, not its value."""

    kind: str
    file: str
    line: int


@dataclass(frozen=True)
class Analysis:
    """What was found in all files: `files` were read, `left_out` are of other kinds."""

    usages: list[ModelUsage] = field(default_factory=list)
    keys: list[HardcodedKey] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    destinations: list[str] = field(default_factory=list)
    entry_point: str = ""
    system_prompt: str = ""
    problems: list[str] = field(default_factory=list)
    bypasses: list[Bypass] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    files: int = 0
    left_out: int = 0


KEY_NAME = re.compile(
    r"(?:api_?key|secret|secret_?key|access_?key|token|password|passwd)$",
    re.IGNORECASE,
)
NOT_A_KEY = re.compile(r"^$|[\s<>{}$%]|platform-managed|your[-_]|example|changeme|xxx")


class Findings:
    """Collects what is found; each thing counts once."""

    def __init__(self) -> None:
        self.usages: set[ModelUsage] = set()
        self.keys: set[HardcodedKey] = set()
        self.tools: set[str] = set()
        self.destinations: set[str] = set()
        self.handlers: list[str] = []
        self.entry_points: list[str] = []
        self.system_prompts: list[str] = []
        self.problems: list[str] = []
        self.bypasses: set[Bypass] = set()
        self.libraries: set[str] = set()
        # What a `.env` beside the code says of models, by variable.
        self.environment: dict[str, str] = {}
        self.files = 0

    def analysis(self) -> Analysis:
        """Return the findings in the order of files and lines."""
        usages = sorted(
            self._telling_usages(), key=lambda u: (u.file, u.line, u.role, u.model)
        )
        keys = sorted(self.keys, key=lambda k: (k.file, k.line, k.kind))
        return Analysis(
            usages=usages[:MAX_EACH],
            keys=keys[:MAX_EACH],
            tools=sorted(self.tools)[:MAX_EACH],
            destinations=sorted(self.destinations)[:MAX_EACH],
            entry_point=next(iter([*self.handlers, *self.entry_points]), ""),
            system_prompt=next(iter(self.system_prompts), "")[:MAX_PROMPT],
            problems=self.problems,
            bypasses=sorted(self.bypasses, key=lambda b: (b.file, b.line))[:MAX_EACH],
            libraries=sorted(self.libraries)[:MAX_EACH],
            files=self.files,
        )

    def _telling_usages(self) -> list[ModelUsage]:
        """Return the usages without those that only pass a model on.

        A function that posts whatever model it is handed says nothing beside the
        places in its file that name one.
        """
        naming = {usage.file for usage in self.usages if usage.model or usage.variable}
        return [
            usage
            for usage in self.usages
            if usage.model
            or usage.variable
            or usage.provider
            or usage.file not in naming
        ]

    def add_usage(
        self,
        role: str,
        vendor: str,
        model: str,
        variable: str,
        file: str,
        line: int,
        api: str = CHAT,
    ) -> None:
        """Note a call of a model; a variable such as LLM_MODEL_PLANNER names its role.

        The model's own name tells its vendor better than the library that asks for it.
        """
        named = MODEL_VARIABLE.fullmatch(variable)
        if named and named.group(1):
            role = named.group(1).lower()
        model = model or self.environment.get(variable, "")
        vendor = vendor_of(model) or vendor
        self.usages.add(ModelUsage(role, vendor, model, variable, file, line, api))

    def add_unused_variable(self, variable: str, file: str, line: int) -> None:
        """Note a model's variable that is read but never seen in a call."""
        if any(usage.variable == variable for usage in self.usages):
            return
        named = MODEL_VARIABLE.fullmatch(variable)
        if named and named.group(1):
            self.add_usage("", "", "", variable, file, line)

    def add_text(self, text: str, file: str, line: int) -> None:
        """Note what a text tells by itself: a key, a tool, a destination."""
        if kind := _key_in(text):
            self.keys.add(HardcodedKey(kind, file, line))
        if tool := TOOL_VARIABLE.fullmatch(text):
            self.tools.add(tool.group(1).lower().replace("_", "-"))
        if text.startswith(("http://", "https://")):
            self.add_address(text, file, line)

    def add_address(self, text: str, file: str, line: int) -> None:
        """Note where an address leads, without what else is in it."""
        host, port = _host(text)
        if host:
            self.destinations.add(host)
        if is_past_the_gateway(host, port):
            self.bypasses.add(Bypass(host, file, line))

    def add_named_text(
        self, names: Iterable[str], text: str, file: str, line: int
    ) -> None:
        """Note a text that stands under a name such as `api_key`, or is the prompt."""
        names = list(names)
        is_named_a_key = any(KEY_NAME.search(name) for name in names)
        may_be_one = len(text) >= 8 and _may_be_a_key(text)
        if is_named_a_key and may_be_one and not _key_in(text):
            self.keys.add(HardcodedKey("credential", file, line))
        if any(_is_prompt_name(name) for name in names):
            self.add_prompt(text)

    def add_prompt(self, text: str) -> None:
        """Note a system prompt, unless it holds a key: those are not kept."""
        if text.strip() and not _key_in(text):
            self.system_prompts.append(text)

    def scan_lines(self, file: str, text: str) -> None:
        """Search the lines of a text that no parser took for keys."""
        for number, line in enumerate(text.splitlines(), 1):
            if kind := _key_in(line):
                self.keys.add(HardcodedKey(kind, file, number))


def _key_in(text: str) -> str:
    """Return the kind of a key in `text`; empty if there is none."""
    if not (found := key_shapes.shape_in(text)):
        return ""
    shape, value = found
    return shape.name if not shape.beside or _may_be_a_key(value) else ""


def is_shaped_as_key(text: str) -> bool:
    """Tell whether a text holds what looks like a key."""
    return bool(_key_in(text))


def _may_be_a_key(value: str) -> bool:
    """Tell whether what stands where a key is expected is more than a placeholder."""
    return not NOT_A_KEY.search(value.lower())


def _is_prompt_name(name: str) -> bool:
    return name.lower().replace("_", "").endswith("systemprompt")


def _host(text: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(text)
        return parts.hostname or "", parts.port
    except ValueError:
        return "", None

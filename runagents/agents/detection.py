"""Reads an agent's source: which models it uses, where it calls, which keys it holds.

Pure static analysis by `ast`: nothing is imported or run. What cannot be read from the
text alone (a model name made at run time) is reported without it. The value of a key
that is found is never kept.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

MAX_SOURCE = 1024 * 1024
DEFAULT_ROLE = "default"


class ModelUsage(NamedTuple):
    """A place that calls a model. `model` is empty where it is not written down.

    `provider` is the vendor whose library or model this is, if that can be told;
    `variable` the environment variable that the model's name comes from.
    """

    role: str
    provider: str
    model: str
    variable: str
    file: str
    line: int


class HardcodedKey(NamedTuple):
    """A credential in the source: its kind and place, not its value."""

    kind: str
    file: str
    line: int


class Analysis(NamedTuple):
    """What was found in all files."""

    usages: list[ModelUsage]
    keys: list[HardcodedKey]
    tools: list[str]
    destinations: list[str]
    entry_point: str
    system_prompt: str
    problems: list[str]


# Calls by the end of their dotted name: (name, role, vendor).
CALLS: tuple[tuple[str, str, str], ...] = (
    ("chat.completions.create", "chat", "openai"),
    ("chat.completions.parse", "chat", "openai"),
    ("chat.completions.stream", "chat", "openai"),
    ("responses.create", "chat", "openai"),
    ("embeddings.create", "embedding", "openai"),
    ("ChatCompletion.create", "chat", "openai"),
    ("messages.create", "chat", "anthropic"),
    ("messages.stream", "chat", "anthropic"),
    ("invoke_model", "chat", "bedrock"),
    ("invoke_model_with_response_stream", "chat", "bedrock"),
    ("converse", "chat", "bedrock"),
    ("converse_stream", "chat", "bedrock"),
    ("ollama.chat", "chat", "ollama"),
    ("ollama.generate", "chat", "ollama"),
    ("ollama.embed", "embedding", "ollama"),
    ("ChatOpenAI", "chat", "openai"),
    ("AzureChatOpenAI", "chat", "openai"),
    ("OpenAIEmbeddings", "embedding", "openai"),
    ("ChatAnthropic", "chat", "anthropic"),
    ("ChatBedrock", "chat", "bedrock"),
    ("ChatBedrockConverse", "chat", "bedrock"),
    ("BedrockEmbeddings", "embedding", "bedrock"),
    ("ChatOllama", "chat", "ollama"),
    ("OllamaEmbeddings", "embedding", "ollama"),
    ("init_chat_model", "chat", ""),
    ("litellm.completion", "chat", ""),
    ("call_llm", DEFAULT_ROLE, ""),
)
MODEL_ARGUMENTS = ("model", "model_name", "modelId", "model_id", "deployment_name")

# Names of the environment that carry a model: LLM_MODEL, LLM_MODEL_EMBEDDING.
MODEL_VARIABLE = re.compile(r"LLM_MODEL(?:_([A-Z0-9_]+))?")
TOOL_VARIABLE = re.compile(r"TOOL_URL_([A-Z0-9_]+)")
CHAT_TAIL = "/chat/completions"
GATEWAY_VARIABLE = "LLM_GATEWAY_URL"

VENDORS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:^|[./])anthropic\.|^(?:us|eu|apac|global)\."), "bedrock"),
    (re.compile(r"^(?:amazon|meta|mistral|cohere|ai21|deepseek)\."), "bedrock"),
    (re.compile(r"^claude"), "anthropic"),
    (re.compile(r"^(?:gpt-|o\d|chatgpt|text-embedding)"), "openai"),
    (re.compile(r"^[a-z0-9.-]+:[a-z0-9.-]+$"), "ollama"),
)

KEY_KINDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"sk-ant-[A-Za-z0-9_-]{16,}"), "Anthropic API key"),
    (re.compile(r"sk-[A-Za-z0-9_-]{16,}"), "OpenAI API key"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "AWS access key"),
    (re.compile(r"\bra_(?:ws|ag)_[A-Za-z0-9]{20,}"), "RunAgents key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"), "GitHub token"),
    (re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"), "Slack token"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"), "Google API key"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "private key"),
)
KEY_NAME = re.compile(r"(?:api_?key|secret|token|password|passwd)$", re.IGNORECASE)
NOT_A_KEY = re.compile(r"^$|[\s<>{}$%]|platform-managed|your[-_]|example|changeme|xxx")


def analyse(files: Mapping[str, str]) -> Analysis:
    """Return what the Python sources in `files` (name -> text) hold.

    A file that cannot be parsed is named in `problems`; the others still count.
    """
    found = _Findings()
    for name, text in sorted(files.items()):
        if len(text) > MAX_SOURCE:
            found.problems.append(f"{name} is larger than 1 MiB and was not read.")
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None)
            at = f", line {line}" if line else ""
            found.problems.append(f"{name} is not valid Python{at}.")
            continue
        _File(name, tree, found).read()
    return found.analysis()


def vendor_of(model: str) -> str:
    """Return the provider type a model id belongs to, empty if it cannot be told.

    >>> vendor_of("claude-sonnet-4-20250514")
    'anthropic'
    """
    for pattern, vendor in VENDORS:
        if pattern.search(model):
            return vendor
    return ""


class _Findings:
    """What several files add up to."""

    def __init__(self) -> None:
        self.usages: list[ModelUsage] = []
        self.keys: list[HardcodedKey] = []
        self.tools: set[str] = set()
        self.destinations: set[str] = set()
        self.entry_points: list[str] = []
        self.system_prompts: list[str] = []
        self.problems: list[str] = []

    def analysis(self) -> Analysis:
        """Return the findings, each once, in the order of files and lines."""
        return Analysis(
            usages=sorted(set(self.usages), key=lambda u: (u.file, u.line, u.role)),
            keys=sorted(set(self.keys), key=lambda k: (k.file, k.line)),
            tools=sorted(self.tools),
            destinations=sorted(self.destinations),
            entry_point=next(iter(self.entry_points), ""),
            system_prompt=next(iter(self.system_prompts), ""),
            problems=self.problems,
        )


class _File:
    """One parsed file: its constants by name, and what is found in it."""

    def __init__(self, name: str, tree: ast.Module, found: _Findings) -> None:
        self._name = name
        self._tree = tree
        self._found = found
        self._values: dict[str, ast.expr] = {}

    def read(self) -> None:
        """Note everything in the file."""
        for node in ast.walk(self._tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._values[name] = value
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self._values[name] = value
        calls_gateway = False
        for node in ast.walk(self._tree):
            match node:
                case ast.Call():
                    self._call(node)
                case ast.Assign(targets=targets, value=ast.Constant(value=str(text))):
                    names = [_dotted(target) for target in targets]
                    self._named_text(names, text, node.lineno)
                case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))):
                    self._named_text([name], text, node.value.lineno)
                case ast.Dict():
                    self._message(node)
                case ast.Constant(value=str(text)):
                    self._text(text, node.lineno)
                    is_url = text.endswith(CHAT_TAIL) or text == GATEWAY_VARIABLE
                    calls_gateway = calls_gateway or is_url
        if calls_gateway:
            self._gateway_usage()
        self._entry_point()

    # --- models ---

    def _call(self, node: ast.Call) -> None:
        dotted = _dotted(node.func)
        for name, role, vendor in CALLS:
            if dotted == name or dotted.endswith(f".{name}"):
                self._usage(node, role, vendor)
                return

    def _usage(self, node: ast.Call, role: str, vendor: str) -> None:
        model, variable = "", ""
        for keyword in node.keywords:
            if keyword.arg in MODEL_ARGUMENTS:
                model, variable = self._model(keyword.value)
        self._add_usage(role, vendor, model, variable, node.lineno)

    def _add_usage(
        self, role: str, vendor: str, model: str, variable: str, line: int
    ) -> None:
        named = MODEL_VARIABLE.fullmatch(variable)
        if named and named.group(1):
            role = named.group(1).lower()
        vendor = vendor_of(model) or vendor
        usage = ModelUsage(role, vendor, model, variable, self._name, line)
        self._found.usages.append(usage)

    def _model(self, value: ast.expr, depth: int = 0) -> tuple[str, str]:
        """Return the model id in an expression, and the variable it comes from."""
        match value:
            case ast.Constant(value=str(text)):
                return text, ""
            case ast.Name(id=name) if name in self._values and depth < 5:
                return self._model(self._values[name], depth + 1)
        variable = _environment_name(value)
        if variable:
            return _default_of(value), variable
        return "", ""

    def _gateway_usage(self) -> None:
        """Note a call of the gateway's URL whose body carries the model."""
        for node in ast.walk(self._tree):
            if not isinstance(node, ast.Dict):
                continue
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "model":
                    model, variable = self._model(value)
                    self._add_usage(DEFAULT_ROLE, "", model, variable, value.lineno)

    # --- the rest ---

    def _text(self, text: str, line: int) -> None:
        for pattern, kind in KEY_KINDS:
            if pattern.search(text):
                self._found.keys.append(HardcodedKey(kind, self._name, line))
                break
        if tool := TOOL_VARIABLE.fullmatch(text):
            self._found.tools.add(tool.group(1).lower().replace("_", "-"))
        if text.startswith(("http://", "https://")) and (host := _host(text)):
            self._found.destinations.add(host)

    def _named_text(self, names: list[str], text: str, line: int) -> None:
        """Note a text that stands under a name such as `api_key`, or is the prompt."""
        if any(KEY_NAME.search(name) for name in names):
            known = any(pattern.search(text) for pattern, _kind in KEY_KINDS)
            if not known and len(text) >= 8 and not NOT_A_KEY.search(text.lower()):
                key = HardcodedKey("credential", self._name, line)
                self._found.keys.append(key)
        if any(name.lower().endswith("system_prompt") for name in names):
            self._found.system_prompts.append(text)

    def _message(self, node: ast.Dict) -> None:
        """Note the text of a message that the system role speaks."""
        fields = {
            key.value: value.value
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
        }
        content = fields.get("content")
        if fields.get("role") == "system" and isinstance(content, str):
            self._found.system_prompts.append(content)

    def _entry_point(self) -> None:
        for node in self._tree.body:
            match node:
                case (
                    ast.FunctionDef(name="handler")
                    | ast.AsyncFunctionDef(name="handler")
                ):
                    self._found.entry_points.insert(0, f"{self._name}:handler")
                case ast.If(test=test) if "__main__" in ast.dump(test):
                    self._found.entry_points.append(self._name)


def _dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for attributes of names, calls in between left out."""
    return ".".join(reversed(list(_parts(node))))


def _parts(node: ast.AST) -> Iterator[str]:
    while True:
        match node:
            case ast.Attribute(value=value, attr=attr):
                yield attr
                node = value
            case ast.Call(func=func):
                node = func
            case ast.Name(id=name):
                yield name
                return
            case _:
                return


def _environment_name(value: ast.expr) -> str:
    """Return NAME of ``os.environ["NAME"]``, ``os.environ.get`` and ``os.getenv``."""
    match value:
        case ast.Subscript(value=source, slice=ast.Constant(value=str(name))):
            return name if _dotted(source).endswith("environ") else ""
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
            dotted = _dotted(func)
            is_read = dotted.endswith(("environ.get", "getenv"))
            return name if is_read else ""
    return ""


def _default_of(value: ast.expr) -> str:
    match value:
        case ast.Call(args=[_, ast.Constant(value=str(default)), *_]):
            return default
    return ""


def _host(text: str) -> str:
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""

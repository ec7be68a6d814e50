"""Which upstream a test is about."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.translators import TRANSLATORS
from gateway.translators.bedrock.ids import classify
from tests.conformance import promises
from tests.recordings import bedrock, claude, ollama, openai
from tests.recordings.told import is_stream
from tests.recordings.traffic import JSON

FOLDER = Path(__file__).resolve().parents[1] / "gateway" / "cases"
CASES = [
    f"{case.parent.name}/{case.name}"
    for case in sorted(FOLDER.glob("*/*/"))
    if any(case.iterdir())
]
_KNOWN = frozenset(CASES)

_FIXED = {
    "openai": (promises.OPENAI,),
    "anthropic": (promises.ANTHROPIC,),
    "ollama": (promises.OLLAMA,),
}
_WIRES = {"claude": promises.CLAUDE, "claude-legacy": promises.CLAUDE}


def case_of(node: str) -> str | None:
    """Return the golden case that a test ran, by the test's id."""
    found = re.search(r"\[(.*)\]", node)
    if found is None or "runs_something" in node:
        return None
    name = found[1]
    if "however_it_is_cut" in node:
        name = name.rpartition("-")[0]
    return name if name in _KNOWN else None


def number_of(case: str) -> int | None:
    """Return the number of the promise that a case is about."""
    found = re.match(r"\w+/(\d{3})-", case)
    return int(found[1]) if found else None


class Nodes(defaultdict[str, list[str]]):
    """Ids of tests by upstream."""

    def __init__(self) -> None:
        super().__init__(list)


def columns_of(case: str, node: str) -> tuple[str, ...]:
    """Return the upstreams that a case is about in a test."""
    if "test_claude_on_bedrock.py" in node:
        return (promises.CLAUDE,)
    return _columns_of(case)


@cache
def _columns_of(case: str) -> tuple[str, ...]:
    """Return the upstreams that a case is about; Bedrock has three forms."""
    translator, _, _ = case.partition("/")
    return _FIXED.get(translator) or tuple(_bedrock(FOLDER / case))


def _bedrock(case: Path) -> Iterator[str]:
    given = _read(case / "route.json")
    wire = given.pop("reply", {}).get("wire")
    request = _read(case / "request.json")
    if not request and wire is None:
        # A refusal: they are read alike whatever was asked.
        yield from promises.BEDROCK
        return
    if wire is None:
        wire = _wire_of(request, given)
    if wire.startswith("converse"):
        yield promises.CONVERSE
    else:
        yield _WIRES.get(wire, promises.INVOKE)


def _wire_of(request: JSON, given: JSON) -> str:
    fields = {"model": "alias", "upstream_model": "upstream-model", **given}
    fields["avoid"] = frozenset(fields.get("avoid", ()))
    route = Route(**fields)
    try:
        return TRANSLATORS["bedrock"].render_request(request, route).reply.wire
    except GatewayError:
        if route.options.get("bedrock_api") == "converse":
            return "converse"
    try:
        return str(classify(route.base_model or route.upstream_model).family)
    except GatewayError:
        return "converse"


def _read(file: Path) -> JSON:
    return json.loads(file.read_text()) if file.exists() else {}


@cache
def _records() -> dict[str, JSON]:
    chats = [
        *claude.messages(),
        *bedrock.exchanges(),
        *ollama.chats(),
        *openai.chats(),
    ]
    return {record["id"]: record for record in chats}


def recorded_in(node: str) -> tuple[str, str] | None:
    """Return operation and kind of the recorded answer that a test was about."""
    found = re.search(r"\[(.*)\]", node)
    record = _records().get(found[1]) if found else None
    if record is None:
        return None
    provider = record["provider"]
    name = f"{provider}: {record['operation']}"
    if "that_is_gone" in node:
        return name, "of a model that is gone"
    if record["response"]["status"] != 200:
        return name, "refused"
    is_openai = record["operation"].endswith("chat.completions")
    streamed = openai.is_stream(record) if is_openai else is_stream(record)
    return name, "streamed" if streamed else "whole"

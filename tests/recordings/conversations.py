"""Conversations that were recorded from turn to turn, for clients to have again."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.recordings.told import Told, is_stream, told_by
from tests.recordings.traffic import JSON, records

# By name: the ids of the records, turn by turn.
_TOOLS = {
    "claude": ("anthropic-4416fe305d45a8", "anthropic-96d97c67c26284"),
    "claude-streamed": ("anthropic-118119ae346e1b", "anthropic-69a62a3960a310"),
    "invoke": ("bedrock-ace94a1efe1bbd", "bedrock-7df6a2612db139"),
    "invoke-streamed": ("bedrock-d6965250637a5b", "bedrock-241d7bc2eb1f7e"),
    "converse": ("bedrock-7fb3fc16b64817", "bedrock-6a29e103a7b14f"),
    "converse-streamed": ("bedrock-d026a966b84aa2", "bedrock-11b0a29036090f"),
    "ollama": ("ollama-1a2dcaa451c857", "ollama-7bfbba10a77019"),
}
_STREAMS = {
    "claude-stream": ("anthropic-69a62a3960a310",),
    "invoke-stream": ("bedrock-241d7bc2eb1f7e",),
    "converse-stream": ("bedrock-11b0a29036090f",),
    "ollama-stream": ("ollama-be6f0c5715dae5",),
}
_STRUCTURED = {
    "claude-object": ("anthropic-9f241128d274f4",),
    "claude-object-streamed": ("anthropic-475e82bfb832b7",),
    "converse-object": ("bedrock-79efe2c442eee8",),
    "converse-object-streamed": ("bedrock-6479df28eea06d",),
    "ollama-object-streamed": ("ollama-28725639283c9d",),
}

# What the one recorder that kept no requests must have asked.
_UNRECORDED_QUESTION = "What time is the game today, and do I need a coat?"
_UNRECORDED_RESULTS = ["The game is at 3 PM.", "75 degrees and sunny."]


@dataclass
class Conversation:
    """One conversation; `name` is also that of the provider to have it with.

    `tools` are in OpenAI's form, `results` what the first answer's calls gave, `schema`
    that of a structured answer.
    """

    name: str
    records: list[JSON]
    tools: list[JSON] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    schema: JSON = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The id to ask for, which pins the provider."""
        return f"{self.name}/{self.records[0]['model']}"

    @property
    def streams(self) -> bool:
        """Whether the answers were recorded as streams."""
        return is_stream(self.records[0])

    @property
    def told(self) -> list[Told]:
        """What the recorded answers say."""
        return [told_by(record) for record in self.records]

    @property
    def question(self) -> str:
        """What the user asked first."""
        body = self.records[0]["request"]["body_json"]
        if body is None:
            return _UNRECORDED_QUESTION
        content = body["messages"][0]["content"]
        if isinstance(content, str):
            return content
        return "".join(block["text"] for block in content)


def with_tools() -> list[Conversation]:
    """Return conversations in which tools are called and their results told."""
    return [_with_tools(*each) for each in _found(_TOOLS)]


def streams() -> list[Conversation]:
    """Return streamed answers of text alone."""
    return [Conversation(*each) for each in _found(_STREAMS)]


def structured() -> list[Conversation]:
    """Return answers that are JSON by request."""
    return [
        Conversation(name, turns, schema=_schema_of(turns[0]))
        for name, turns in _found(_STRUCTURED)
    ]


def _found(wanted: dict[str, tuple[str, ...]]) -> list[tuple[str, list[JSON]]]:
    """Return names and records; nothing where no traffic is recorded."""
    known = {
        record["id"]: record
        for file in ("anthropic", "bedrock", "ollama")
        for record in records(file)
    }
    if not known:
        return []
    return [(name, [known[id] for id in ids]) for name, ids in wanted.items()]


def _with_tools(name: str, turns: list[JSON]) -> Conversation:
    first, second = (turn["request"]["body_json"] for turn in turns)
    if first is None:
        names = {name for name, _ in told_by(turns[0]).calls}
        tools = [_tool({"name": each}, {"type": "object"}) for each in sorted(names)]
        return Conversation(name, turns, tools, _UNRECORDED_RESULTS)
    results = [_result(block) for block in second["messages"][-1]["content"]]
    if "toolConfig" in first:
        specs = [tool["toolSpec"] for tool in first["toolConfig"]["tools"]]
        tools = [_tool(spec, spec["inputSchema"]["json"]) for spec in specs]
    else:
        tools = [_tool(tool, tool["input_schema"]) for tool in first["tools"]]
    return Conversation(name, turns, tools, results)


def _tool(tool: JSON, parameters: JSON) -> JSON:
    function = {"name": tool["name"], "parameters": parameters}
    if "description" in tool:
        function["description"] = tool["description"]
    return {"type": "function", "function": function}


def _result(block: JSON) -> str:
    content: Any = block.get("toolResult", block)["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content)


def _schema_of(record: JSON) -> JSON:
    """Return the schema that was asked for; empty where any JSON was."""
    match record["request"]["body_json"]:
        case {"output_config": {"format": {"schema": dict(schema)}}}:
            return schema
        case {"outputConfig": {"textFormat": {"structure": {"jsonSchema": asked}}}}:
            decoded: JSON = json.loads(asked["schema"])
            return decoded
    return {}

"""Claude's own body in Converse's form.

Everything that Claude's models want said in their own way (limits, thinking, sampling,
replayed blocks) is decided where Anthropic's body is made; this only says it in
Converse's words, and what has none goes through `additionalModelRequestFields`.
https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.errors import unsupported
from gateway.hub.protocol import JSON, NOTHING
from gateway.translators.bedrock.converse.cache_points import cache_points
from gateway.translators.bedrock.converse.claude_blocks import ClaudeBlocks, marked
from gateway.translators.bedrock.converse.messages import separated
from gateway.translators.bedrock.converse.tooling import plain_root, text_format

_INFERENCE = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop_sequences": "stopSequences",
}

_EXTRA = ("top_k", "thinking", "anthropic_beta", "context_management")


class Around(NamedTuple):
    """What Claude's body does not say, or says otherwise than Converse.

    `settings` are fields of the provider's, `described` name and description of the
    schema that the answer is held to. Only with `one_at_a_time` a tool choice is told
    that excludes parallel calls. With `titles` documents keep theirs.
    """

    settings: Mapping[str, Any] = NOTHING
    described: Mapping[str, Any] = NOTHING
    one_at_a_time: bool = False
    titles: bool = False


def from_claude(claude: JSON, around: Around) -> JSON:
    """Return the Converse body for `claude`, InvokeModel's body of the same request.

    Its messages and system prompt are lists of blocks. Raises `GatewayError` (400) for
    tools in Anthropic's own format.
    """
    choice = claude.get("tool_choice")
    # Converse cannot say that no tool may be called: then none is offered.
    tools = [] if _type(choice) == "none" else claude.get("tools", [])
    blocks = ClaudeBlocks(as_text=not tools, titles=around.titles)
    rendered: JSON = {
        "messages": separated(
            [
                {
                    "role": turn["role"],
                    "content": [blocks.block(block) for block in turn["content"]],
                }
                for turn in claude["messages"]
            ]
        )
    }
    for turn in rendered["messages"]:
        turn["content"] = cache_points(turn["content"])
    if "system" in claude:
        system = [blocks.block(block) for block in claude["system"]]
        rendered["system"] = cache_points(system)
    rendered["inferenceConfig"] = {
        name: claude[field] for field, name in _INFERENCE.items() if field in claude
    }
    if tools:
        rendered["toolConfig"] = _tool_config(tools, choice)
    _add_output(rendered, claude, around.described)
    one_at_a_time = bool(tools) and around.one_at_a_time
    if extra := _extra(claude, choice if one_at_a_time else None):
        rendered["additionalModelRequestFields"] = extra
    return {**rendered, **around.settings}


def forced_tool(rendered: JSON) -> str:
    """Return the name of the one tool that the answer must call, empty for none."""
    match rendered.get("toolConfig"):
        case {"toolChoice": {"tool": {"name": str(name)}}}:
            return name
    return ""


def _type(choice: Any) -> str:
    return choice["type"] if choice else ""


def _tool_config(tools: list[JSON], choice: JSON | None) -> JSON:
    specs = [_tool(tool, position) for position, tool in enumerate(tools)]
    config: JSON = {"tools": cache_points(specs)}
    match choice:
        case {"type": "tool", "name": name}:
            config["toolChoice"] = {"tool": {"name": name}}
        case {"type": "any" | "auto" as type}:
            config["toolChoice"] = {type: {}}
    return config


def _tool(tool: JSON, position: int) -> JSON:
    if "input_schema" not in tool or tool.get("type") not in (None, "custom"):
        raise unsupported(
            f"'tools[{position}]' is a tool in Anthropic's own format, which Converse "
            "does not take. Write it as a function, or set the provider's Bedrock API "
            "to 'auto'.",
            param=f"tools[{position}]",
        )
    spec: JSON = {"name": tool["name"]}
    if tool.get("description"):
        spec["description"] = tool["description"]
    spec["inputSchema"] = {"json": plain_root(tool["input_schema"])}
    if tool.get("strict"):
        spec["strict"] = True
    block: JSON = {"toolSpec": spec}
    return marked(block, tool)


def _add_output(rendered: JSON, claude: JSON, described: Mapping[str, Any]) -> None:
    format = claude.get("output_config", {}).get("format")
    if format is not None:
        text = text_format(format["schema"], described)
        rendered["outputConfig"] = {"textFormat": text}


def _extra(claude: JSON, choice: JSON | None) -> JSON:
    extra = {name: claude[name] for name in _EXTRA if name in claude}
    if effort := claude.get("output_config", {}).get("effort"):
        extra["output_config"] = {"effort": effort}
    if choice is not None and "disable_parallel_tool_use" in choice:
        # Converse's own tool choice has no word for it.
        extra["tool_choice"] = choice
    return extra

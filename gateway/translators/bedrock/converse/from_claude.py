"""Claude's own body in Converse's form.

Everything that Claude's models want said in their own way (limits, thinking, sampling,
replayed blocks) is decided where Anthropic's body is made; this only says it in
Converse's words, and what has none goes through `additionalModelRequestFields`.
https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
"""

from typing import Any

from gateway.errors import unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARK
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.tools.choice import is_parallel
from gateway.translators.bedrock.converse.cache_points import cache_points
from gateway.translators.bedrock.converse.messages import (
    NO_OUTPUT,
    separated,
)
from gateway.translators.bedrock.converse.tooling import plain_root, text_format
from gateway.translators.bedrock.in_words import called, result_of
from gateway.translators.bedrock.settings import converse_settings
from gateway.translators.bedrock.tool_ids import converse_id

_INFERENCE = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop_sequences": "stopSequences",
}

_EXTRA = ("top_k", "thinking", "anthropic_beta")


def from_claude(claude: JSON, rendering: Rendering) -> JSON:
    """Return the Converse body for `claude`, InvokeModel's body of the same request.

    Raises `GatewayError` (400) for tools in Anthropic's own format.
    """
    choice = claude.get("tool_choice")
    # Converse cannot say that no tool may be called: then none is offered.
    tools = [] if _type(choice) == "none" else claude.get("tools", [])
    blocks = _Blocks(as_text=not tools)
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
    _add_output(rendered, claude, rendering.body)
    one_at_a_time = bool(tools) and not is_parallel(rendering.body)
    if extra := _extra(claude, choice if one_at_a_time else None):
        rendered["additionalModelRequestFields"] = extra
    return rendered | converse_settings(rendering)


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
    if "input_schema" not in tool or "type" in tool:
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
    return _marked(block, tool)


def _add_output(rendered: JSON, claude: JSON, body: JSON) -> None:
    format = claude.get("output_config", {}).get("format")
    if format is None:
        return
    described = body.get("response_format", {}).get("json_schema") or {}
    rendered["outputConfig"] = {"textFormat": text_format(format["schema"], described)}


def _extra(claude: JSON, choice: JSON | None) -> JSON:
    extra = {name: claude[name] for name in _EXTRA if name in claude}
    if effort := claude.get("output_config", {}).get("effort"):
        extra["output_config"] = {"effort": effort}
    if choice is not None and "disable_parallel_tool_use" in choice:
        # Converse's own tool choice has no word for it.
        extra["tool_choice"] = choice
    return extra


def _marked(block: JSON, source: JSON) -> JSON:
    if "cache_control" in source:
        block[MARK] = source["cache_control"]
    return block


class _Blocks:
    """Says Claude's blocks in Converse's words; `as_text` writes tool use in ours."""

    def __init__(self, *, as_text: bool) -> None:
        self._as_text = as_text
        self._documents = 0
        self._names: dict[str, str] = {}

    def block(self, block: JSON) -> JSON:
        """Return one block, with its cache mark."""
        return _marked(self._plain(block), block)

    def _plain(self, block: JSON) -> JSON:
        match block:
            case {"type": "text", "text": text}:
                return {"text": text}
            case {"type": "image", "source": source}:
                format = source["media_type"].removeprefix("image/")
                image = {"format": format, "source": {"bytes": source["data"]}}
                return {"image": image}
            case {"type": "document", "source": source}:
                return self._document(source)
            case {"type": "tool_use"}:
                return self._tool_use(block)
            case {"type": "tool_result"}:
                return self._tool_result(block)
            case _:
                return _reasoning(block)

    def _document(self, source: JSON) -> JSON:
        self._documents += 1
        is_text = source["type"] == "text"
        held = {"text": source["data"]} if is_text else {"bytes": source["data"]}
        return {
            "document": {
                "format": "txt" if is_text else "pdf",
                "name": f"Document {self._documents}",
                "source": held,
            }
        }

    def _tool_use(self, block: JSON) -> JSON:
        self._names[block["id"]] = block["name"]
        if self._as_text:
            return {"text": called(block["name"], block["input"])}
        return {
            "toolUse": {
                "toolUseId": converse_id(block["id"]),
                "name": block["name"],
                "input": block["input"],
            }
        }

    def _tool_result(self, block: JSON) -> JSON:
        held = block.get("content", [])
        if isinstance(held, str):
            held = [{"type": "text", "text": held}]
        blocks = [self._plain(each) for each in held]
        if self._as_text:
            name = self._names.get(block["tool_use_id"], "tool")
            said = "".join(each.get("text", "") for each in blocks)
            return {"text": result_of(name, said)}
        result = {
            "toolUseId": converse_id(block["tool_use_id"]),
            "content": blocks or [dict(NO_OUTPUT)],
            "status": "error" if block.get("is_error") else "success",
        }
        return {"toolResult": result}


def _reasoning(block: JSON) -> JSON:
    """Return one of Claude's thinking blocks."""
    if block["type"] == "redacted_thinking":
        return {"reasoningContent": {"redactedContent": block["data"]}}
    text = {"text": block["thinking"], "signature": block["signature"]}
    return {"reasoningContent": {"reasoningText": text}}

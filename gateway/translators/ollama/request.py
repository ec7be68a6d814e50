"""An OpenAI request as a body of Ollama's ``/api/chat``.

https://docs.ollama.com/api/chat and, for `options`,
https://docs.ollama.com/modelfile#valid-parameters-and-values
"""

from typing import Any

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.hub.requests.content.parsing import parse_content, text_of
from gateway.hub.requests.content.parts import (
    Audio,
    Document,
    Image,
    SearchResult,
    Text,
)
from gateway.hub.requests.conversation import Message, walk
from gateway.hub.requests.format_in_words import instructed, instruction
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.reasoning import Reasoning, reasoning_of
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.schemas.grammar import SCHEMAS
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.choice import (
    offer_of,
)
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.tools.offered import Tool
from gateway.hub.requests.tools.repeated import rendered_tools
from gateway.hub.requests.validation import output_limit

PATH = "/api/chat"

OPTIONS = {
    "frequency_penalty": "frequency_penalty",
    "min_p": "min_p",
    "num_ctx": "num_ctx",
    "presence_penalty": "presence_penalty",
    "repeat_penalty": "repeat_penalty",
    "seed": "seed",
    "stop": "stop",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
}
"""Parameters that go into `options`; what is absent is the Modelfile's to decide."""

TOP_LEVEL = ("keep_alive", "logprobs", "top_logprobs", "truncate")
DROPPED = ("mcp_servers", "service_tier", "thinking", "verbosity")
REFUSED = ("logit_bias", "web_search_options")

EFFORTS: dict[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}


def render_request(body: JSON, route: Route) -> UpstreamRequest:
    """Return an OpenAI request as one to Ollama.

    Raises a 400 `GatewayError` with `param` for what Ollama cannot express.
    """
    rendering = Rendering.of(body, route)
    request = rendering.body
    _drop(request, rendering.losses)
    reasoning = reasoning_of(request)
    wanted = _in_words(rendering)
    reply = rendering.reply({})
    upstream: JSON = {
        "model": route.upstream_model,
        "messages": [_message(each, route) for each in walk(rendering, str)],
        "stream": reply.stream,  # the server's default is to stream
    }
    if tools := _tools(rendering):
        upstream["tools"] = tools
    if wanted:
        upstream["format"] = "json"
        upstream["messages"] = instructed(upstream["messages"], wanted)
    elif (format := _format(request)) is not None:
        upstream["format"] = format
    if (think := _think(reasoning, rendering)) is not None:
        upstream["think"] = think
    upstream.update({field: request[field] for field in TOP_LEVEL if field in request})
    if options := _options(request):
        upstream["options"] = options
    return rendering.request(PATH, upstream, reply, {})


def _think(reasoning: Reasoning, rendering: Rendering) -> bool | str | None:
    """Return `think`, or None where nothing is asked for or the model cannot.

    Where its levels were refused, gpt-oss gets the highest that it knows and every
    other model just the word to think.
    """
    route, losses = rendering.route, rendering.losses
    if not (reasoning.effort or reasoning.budget):
        return None
    level = EFFORTS.get(reasoning.effort, True)
    if "think" in route.avoid:
        if level is not False:
            losses.drop(reasoning.param)
        return None
    if "think_levels" not in route.avoid or isinstance(level, bool):
        return level
    has_levels = "gpt-oss" in (route.base_model or route.upstream_model).lower()
    if has_levels and level != "max":
        return level
    losses.downgrade(reasoning.param)
    return "high" if has_levels else True


def _drop(request: JSON, losses: Losses) -> None:
    for field in REFUSED:
        # An empty bias changes nothing; empty web search options ask for a search.
        if field in request and (request[field] or field != "logit_bias"):
            raise unsupported(
                f"Ollama does not support '{field}'. Remove '{field}'.", param=field
            )
    for field in DROPPED:
        if field in request:
            losses.drop(field)
    if request.get("store"):
        losses.drop("store")


def _options(request: JSON) -> JSON:
    options = {
        name: request[field] for field, name in OPTIONS.items() if field in request
    }
    if (limit := output_limit(request)) is not None:
        options["num_predict"] = limit
    return options


def _in_words(rendering: Rendering) -> str:
    """Return the schema that was refused as an instruction; empty for others."""
    wanted = rendering.body.get("response_format") or {}
    if SCHEMAS.name not in rendering.route.avoid or wanted.get("type") != "json_schema":
        return ""
    rendering.losses.downgrade("response_format")
    return instruction(wanted)


def _format(request: JSON) -> str | JSON | None:
    match request.get("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return _without_booleans(schema)
        case {"type": "json_schema" | "json_object"}:
            return "json"
    return None


# --- tools ----------------------------------------------------------------------------


def _tools(rendering: Rendering) -> list[JSON]:
    """Return the tools on offer; Ollama cannot be forced to call one."""
    offered, choice, text = offer_of(rendering.body, says_none=False, says_named=False)
    if choice.mode in ("named", "required"):
        rendering.losses.downgrade(choice.param)
    return rendered_tools(offered, rendering, _tool, ("ollama",), text=text)


def _tool(tool: Tool, names: ToolNames) -> JSON:
    if tool.native is not None:
        raise unsupported(
            "Ollama supports tools of type 'function' only.", param=f"{tool.param}.type"
        )
    function: JSON = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    parameters = tool_parameters(tool.parameters, f"{tool.param}.parameters")
    function["parameters"] = _without_booleans(parameters)
    return {"type": "function", "function": function}


def _without_booleans(schema: Any) -> JSON:
    """Return `schema` with ``true`` and ``false`` as ``{}`` where Go wants an object.

    https://github.com/ollama/ollama/blob/main/api/types.go (ToolProperty)
    """
    if not isinstance(schema, dict):
        return {}
    clean = dict(schema)
    if isinstance(properties := schema.get("properties"), dict):
        clean["properties"] = {
            name: _without_booleans(each) for name, each in properties.items()
        }
    if isinstance(branches := schema.get("anyOf"), list):
        clean["anyOf"] = [_without_booleans(each) for each in branches]
    return clean


# --- messages -------------------------------------------------------------------------


def _message(message: Message, route: Route) -> JSON:
    match message.role:
        case "assistant":
            return _assistant(message)
        case "tool":
            return {
                "role": "tool",
                **_with_images(message, route),
                "tool_name": message.call.name,
                "tool_call_id": message.call.id,
            }
        case role:
            return {"role": role, **_with_images(message, route)}


def _with_images(message: Message, route: Route) -> JSON:
    """Return `content`, and `images` where there are any."""
    texts: list[str] = []
    images: list[str] = []
    param = f"{message.param}.content"
    for position, part in enumerate(parse_content(message.content, param)):
        path = f"{param}[{position}]"
        match part:
            case Text(text) | SearchResult(text=text):
                texts.append(text)
            case Image():
                images.append(_image(part, path, route))
            case Document() if part.is_text:
                texts.append(part.text)
            case Audio() if route.options.get("audio"):
                # Models that hear take sound through the same field.
                images.append(part.base64)
            case Audio():
                raise _refused("audio", path)
            case _:
                raise _refused("files other than text", path)
    content: JSON = {"content": "\n".join(texts)}
    if images:
        content["images"] = images
    return content


def _image(image: Image, param: str, route: Route) -> str:
    if route.options.get("vision") is False:
        raise _refused("images", param)
    if image.url:
        raise invalid_request(
            f"The image in '{param}' was not fetched: Ollama takes image data only. "
            "Send it as a data: URL.",
            param=param,
            code="invalid_image_url",
        )
    return image.base64


def _assistant(message: Message) -> JSON:
    if message.source.get("audio"):
        raise _refused("audio of earlier answers", f"{message.param}.audio")
    text = text_of(message.content, f"{message.param}.content")
    rendered: JSON = {"role": "assistant", "content": text or message.refusal or ""}
    if thinking := _thinking(message.source):
        rendered["thinking"] = thinking
    calls = [
        {
            "id": call.id,
            "function": {
                "name": call.name,
                "arguments": parse_arguments(call.arguments),
            },
        }
        for call in message.calls
    ]
    if calls:
        rendered["tool_calls"] = calls
    return rendered


def _thinking(message: JSON) -> str:
    """Return the reasoning that an assistant message brings back, as plain text."""
    for field in ("reasoning_content", "reasoning"):
        if isinstance(text := message.get(field), str) and text:
            return text
    blocks = message.get("thinking_blocks")
    texts = [
        block.get("thinking")
        for block in (blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict)
    ]
    return "".join(text for text in texts if isinstance(text, str))


def _refused(what: str, param: str) -> GatewayError:
    return unsupported(
        f"This model does not take {what}. Remove '{param}'.", param=param
    )

"""An OpenAI request as a body of Ollama's ``/api/chat``.

https://docs.ollama.com/api/chat and, for `options`,
https://docs.ollama.com/modelfile#valid-parameters-and-values
"""

from typing import Any

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.hub.requests.content.parsing import parse_content, text_of
from gateway.hub.requests.content.parts import Audio, Document, Image, Text
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.reasoning import reasoning_of
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.calls import calls_by_place, calls_of
from gateway.hub.requests.tools.choice import (
    offer_of,
)
from gateway.hub.requests.tools.ids import call_ids
from gateway.hub.requests.tools.offered import Tool
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

TOP_LEVEL = ("keep_alive", "logprobs", "top_logprobs")
DROPPED = ("service_tier", "thinking", "verbosity")
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
    reply = rendering.reply()._replace(hides_reasoning=reasoning.exclude)
    upstream: JSON = {
        "model": route.upstream_model,
        "messages": _messages(rendering),
        "stream": reply.stream,  # the server's default is to stream
    }
    if tools := _tools(rendering):
        upstream["tools"] = tools
    if format := _format(request):
        upstream["format"] = format
    if reasoning.effort or reasoning.budget:
        upstream["think"] = EFFORTS.get(reasoning.effort, True)
    upstream.update({field: request[field] for field in TOP_LEVEL if field in request})
    if options := _options(request):
        upstream["options"] = options
    return rendering.request(PATH, upstream, reply, {})


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


def _format(request: JSON) -> str | JSON | None:
    match request.get("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return schema
        case {"type": "json_schema" | "json_object"}:
            return "json"
    return None


# --- tools ----------------------------------------------------------------------------


def _tools(rendering: Rendering) -> list[JSON]:
    """Return the tools on offer; Ollama cannot be forced to call one."""
    offered, choice = offer_of(rendering.body, says_none=False, says_named=False)
    if choice.mode in ("named", "required"):
        rendering.losses.downgrade(choice.param)
    return [_tool(tool) for tool in offered]


def _tool(tool: Tool) -> JSON:
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


def _messages(rendering: Rendering) -> list[JSON]:
    messages, route = rendering.body["messages"], rendering.route
    ids, calls = call_ids(messages, str), calls_by_place(messages)
    rendered: list[JSON] = []
    for index, message in enumerate(messages):
        param = f"messages[{index}]"
        match message["role"]:
            case "system" | "developer":
                text = _with_images(message, param, route)
                rendered.append({"role": "system", **text})
            case "assistant":
                rendered.append(_assistant(message, index, ids, param))
            case "tool" | "function":
                place = rendering.valid.results[index]
                result = {
                    "role": "tool",
                    **_with_images(message, param, route),
                    "tool_name": calls[place].name,
                    "tool_call_id": ids[place],
                }
                rendered.append(result)
            case _:
                text = _with_images(message, param, route)
                rendered.append({"role": "user", **text})
    return rendered


def _with_images(message: JSON, param: str, route: Route) -> JSON:
    """Return `content`, and `images` where there are any."""
    texts: list[str] = []
    images: list[str] = []
    parts = parse_content(message.get("content"), f"{param}.content")
    for position, part in enumerate(parts):
        path = f"{param}.content[{position}]"
        match part:
            case Text(text):
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


def _assistant(
    message: JSON, index: int, ids: dict[tuple[int, int], str], param: str
) -> JSON:
    if message.get("audio"):
        raise _refused("audio of earlier answers", f"{param}.audio")
    text = text_of(message.get("content"), f"{param}.content")
    refusal = message.get("refusal")
    if not text and isinstance(refusal, str):
        text = refusal
    rendered: JSON = {"role": "assistant", "content": text}
    if thinking := _thinking(message):
        rendered["thinking"] = thinking
    calls = [
        {
            "id": ids[index, position],
            "function": {
                "name": call.name,
                "arguments": parse_arguments(call.arguments),
            },
        }
        for position, call in enumerate(calls_of(message))
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

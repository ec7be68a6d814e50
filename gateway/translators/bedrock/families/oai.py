"""OpenAI's body as InvokeModel takes it: gpt-oss, Qwen, Kimi, Mistral and others.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-chat-completion.html
"""

from gateway.errors import unsupported
from gateway.hub.protocol import JSON, Learned, Route
from gateway.hub.requests.content.parsing import parse_part
from gateway.hub.requests.content.parts import (
    Document,
    Image,
    Part,
    SearchResult,
    Text,
)
from gateway.hub.requests.conversation import (
    Message,
    check_silent,
    check_text_only,
    walk,
)
from gateway.hub.requests.reasoning import reasoning_of
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.schemas.normal import normalised
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.calls import ToolCall
from gateway.hub.requests.tools.choice import (
    ToolChoice,
    offer_of,
)
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.tools.json_tool import SCHEMA_PARAM
from gateway.hub.requests.tools.offered import Tool
from gateway.hub.requests.tools.repeated import rendered_tools
from gateway.hub.requests.turns import CONTINUED, nothing_said
from gateway.hub.requests.validation import output_limit
from gateway.translators.bedrock.families.oai_hosts import Host, host_at
from gateway.translators.bedrock.families.turn_order import in_mistrals_order
from gateway.translators.bedrock.in_words import asked_in_words
from gateway.translators.bedrock.parameters import drop_rest, refuse, refuse_native
from gateway.translators.bedrock.ranges import ranges_of, within
from gateway.translators.bedrock.settings import has_flag
from gateway.translators.bedrock.tool_ids import mistral_id
from gateway.wire.jsontext import dumps


def render(rendering: Rendering) -> tuple[JSON, Learned]:
    """Return OpenAI's body as Bedrock takes it, without model and streaming.

    Raises `GatewayError` (400) for what cannot be expressed.
    """
    body, host = rendering.body, host_at(rendering.route)
    refuse(body, host.passed)
    effort = _effort(body, host)
    used = host.passed | {"reasoning"} if effort else host.passed - {"reasoning_effort"}
    drop_rest(rendering, used)
    # Tools first: what their parameters are called, the messages' calls must know.
    tools = _tools(rendering, host)
    rendered: JSON = {"messages": _messages(rendering, host), **tools}
    ranges = ranges_of(rendering.route.base_model)
    limit = output_limit(body)
    if limit is not None:
        rendered[host.limit] = within(rendering, "limit", limit, ranges)
    taken = {"temperature", "top_p", *(("stop",) if host.takes_stop else ())}
    names = (*sorted(taken), *sorted(host.passed))
    rendered |= {
        name: within(rendering, name, body[name], ranges)
        for name in names
        if name in body
    }
    rendered.pop("reasoning_effort", None)
    if effort:
        rendered["reasoning_effort"] = effort
    wanted = ""
    if host.takes_format and "response_format" in body:
        rendered["response_format"] = _format(rendering, host)
    elif wanted := asked_in_words(rendering):
        _instruct(rendered["messages"], wanted)
    stop = () if host.takes_stop else tuple(body.get("stop", ()))
    return rendered, {"strip_fence": bool(wanted), "stop": stop}


def _format(rendering: Rendering, host: Host) -> JSON:
    """Return the format of an answer, its schema in the draft that servers know."""
    wanted: JSON = rendering.body["response_format"]
    match wanted:
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            described = {**wanted["json_schema"]}
            if not host.takes_strict and described.pop("strict", None):
                rendering.losses.downgrade("response_format")
            described["schema"] = normalised(schema, SCHEMA_PARAM)
            return {**wanted, "json_schema": described}
    return wanted


def _effort(body: JSON, host: Host) -> str:
    """Return the server's word for the effort asked for; empty for none of them."""
    effort = reasoning_of(body).effort
    if not effort or "reasoning_effort" not in host.passed:
        return ""
    return (host.efforts or {}).get(effort, effort)


def _instruct(messages: list[JSON], wanted: str) -> None:
    """Append to the system messages that the conversation begins with."""
    roles = [message["role"] for message in messages]
    place = next((i for i, role in enumerate(roles) if role != "system"), len(roles))
    messages.insert(place, {"role": "system", "content": wanted})


def _tools(rendering: Rendering, host: Host) -> JSON:
    offered, choice, text = offer_of(rendering.body, says_named=host.takes_names)

    def render(tool: Tool, names: ToolNames) -> JSON:
        return _tool(tool, names, host)

    is_strict = host.takes_format and host.takes_strict
    tools = rendered_tools(offered, rendering, render, ("oai", is_strict), text=text)
    if not host.takes_strict and any(tool.strict for tool in offered):
        rendering.losses.downgrade("tools")
    if not tools:
        return {}
    rendered: JSON = {"tools": tools}
    if (chosen := _choice(choice, host, rendering)) is not None:
        rendered["tool_choice"] = chosen
    return rendered


def _tool(tool: Tool, names: ToolNames, host: Host) -> JSON:
    refuse_native(tool)
    name = names.upstream(tool.name)
    function: JSON = {"name": name}
    if tool.description:
        function["description"] = tool.description
    schema = tool_parameters(tool.parameters, f"{tool.param}.parameters")
    function["parameters"] = names.schema(name, schema)
    if tool.strict and host.takes_format and host.takes_strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice, host: Host, rendering: Rendering) -> str | JSON | None:
    if choice.mode in ("", "auto", "none"):
        return choice.mode or None
    if host.required == "auto":
        rendering.losses.downgrade(choice.param)
        return "auto"
    if choice.mode == "named" and host.takes_names:
        name = rendering.names.upstream(choice.name)
        return {"type": "function", "function": {"name": name}}
    return host.required


def _messages(rendering: Rendering, host: Host) -> list[JSON]:
    walked = walk(rendering, mistral_id if host.is_mistral else str)
    messages = [_message(each, rendering, host) for each in walked]
    if not any(_says_something(message) for message in messages):
        raise nothing_said()
    _begin(messages)
    if host.is_mistral:
        return in_mistrals_order(messages, rendering.losses)
    return messages


def _message(message: Message, rendering: Rendering, host: Host) -> JSON:
    if message.role in ("system", "assistant"):
        check_text_only(message)
    content = _content(message, rendering.route, host)
    match message.role:
        case "assistant":
            check_silent(message)
            said = _assistant(message, content, rendering)
            if host.is_mistral and said["content"] is None:
                said["content"] = ""
            return said
        case "tool":
            call = message.call.id
            return {"role": "tool", "tool_call_id": call, "content": content or ""}
        case role:
            return {"role": role, "content": content or ""}


def _says_something(message: JSON) -> bool:
    content = message["content"]
    if isinstance(content, str):
        is_blank = not content.strip()
    else:
        is_blank = all(not part.get("text", "_").strip() for part in content or ())
    return not is_blank or message["role"] == "tool" or "tool_calls" in message


def _begin(messages: list[JSON]) -> None:
    """Let the user begin: several chat templates refuse anything else."""
    first = next((m for m in messages if m["role"] != "system"), None)
    if first is not None and first["role"] == "assistant":
        messages.insert(messages.index(first), {"role": "user", "content": CONTINUED})


def _assistant(
    message: Message, content: str | list[JSON] | None, rendering: Rendering
) -> JSON:
    if content is None:
        content = message.refusal
    rendered: JSON = {"role": "assistant", "content": content}
    reasoning = message.source.get("reasoning_content")
    if isinstance(reasoning, str) and _sends_reasoning(rendering.route):
        rendered["reasoning_content"] = reasoning
    if message.calls:
        names = rendering.names
        rendered["tool_calls"] = [_call(call, names) for call in message.calls]
    return rendered


def _call(call: ToolCall, names: ToolNames) -> JSON:
    name, arguments = names.upstream(call.name), _arguments(call.arguments)
    if name in names.arguments:
        arguments = dumps(names.call_arguments(name, parse_arguments(arguments)))
    function = {"name": name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _sends_reasoning(route: Route) -> bool:
    is_refused = "sent_reasoning" in route.avoid
    return not is_refused and has_flag(route, "send_reasoning_content")


def _arguments(arguments: str | JSON | None) -> str:
    if isinstance(arguments, str):
        return arguments if arguments.strip() else "{}"
    return dumps(arguments or {})


def _content(message: Message, route: Route, host: Host) -> str | list[JSON] | None:
    content, param = message.content, f"{message.param}.content"
    if not isinstance(content, list):
        return content
    parts = [
        _part(parse_part(part, path := f"{param}[{position}]"), path, route)
        for position, part in enumerate(content)
    ]
    if host.only_strings or all(part["type"] == "text" for part in parts):
        if any(part["type"] != "text" for part in parts):
            raise unsupported(f"This model reads text only in '{param}'.", param=param)
        return "\n".join(part["text"] for part in parts)
    return parts


def _part(part: Part, param: str, route: Route) -> JSON:
    match part:
        case Text(text) | SearchResult(text=text):
            return {"type": "text", "text": text}
        case Document() if part.is_text:
            return {"type": "text", "text": part.text}
        case Image() if part.base64 and has_flag(route, "vision"):
            url = f"data:{part.media_type};base64,{part.base64}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Image() if part.base64:
            raise unsupported(
                f"This model is not marked as one that sees: remove '{param}', or set "
                "the model's capability 'vision'.",
                param=param,
            )
    raise unsupported(
        f"This model does not read what '{param}' holds. Send it as text.", param=param
    )

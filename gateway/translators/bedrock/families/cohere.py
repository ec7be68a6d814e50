"""Cohere's Command R over InvokeModel.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html
"""

from typing import Any

from gateway.hub.answers import chunks
from gateway.hub.answers.calls.ids import CallIds
from gateway.hub.answers.calls.whole import name_of_nameless
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Learned, Reply
from gateway.hub.requests.content.parsing import text_of
from gateway.hub.requests.conversation import Message, walk
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.choice import (
    offer_of,
)
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.tools.offered import Tool
from gateway.hub.requests.turns import CONTINUED
from gateway.translators.bedrock.families.plain import conversation
from gateway.translators.bedrock.finish_reasons import FINISH_REASONS
from gateway.translators.bedrock.in_words import asked_in_words
from gateway.translators.bedrock.parameters import (
    drop_rest,
    refuse,
    refuse_native,
    sampling,
)
from gateway.wire.jsontext import JSONError, decode, dumps

_NAMES = {
    "limit": "max_tokens",
    "temperature": "temperature",
    "top_p": "p",
    "top_k": "k",
    "stop": "stop_sequences",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}

_SPEAKERS = {"user": "USER", "assistant": "CHATBOT"}

_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
}

# --- requests -------------------------------------------------------------------------


def render(rendering: Rendering) -> tuple[JSON, Learned]:
    """Return the body and what its answer's parser must know.

    Raises `GatewayError` (400) for content other than text.
    """
    body = rendering.body
    refuse(body)
    drop_rest(rendering, frozenset(_NAMES))
    messages = list(walk(rendering, str))
    start = _open_calls(messages)
    has_results = start < len(messages)
    talk = conversation(messages[:start], opening=CONTINUED if has_results else "")
    *history, last = talk.turns
    rendered: JSON = {"message": last.text}
    if history:
        rendered["chat_history"] = [
            {"role": _SPEAKERS[turn.role], "message": turn.text} for turn in history
        ]
    wanted = asked_in_words(rendering)
    if preamble := "\n\n".join(text for text in (talk.system, wanted) if text):
        rendered["preamble"] = preamble
    if tools := _tools(rendering):
        rendered["tools"] = tools
        if has_results:
            rendered["tool_results"] = _results(messages[start:], rendering.names)
    rendered |= sampling(rendering, _NAMES)
    return rendered, {"strip_fence": bool(wanted)}


def _open_calls(messages: list[Message]) -> int:
    """Return where the tool calls begin whose results end the conversation.

    Cohere takes these beside the user's message; older ones become text.
    """
    start = len(messages)
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.calls and start < len(messages):
            return index
        if message.role != "tool":
            break
        start = index
    return len(messages)


def _results(messages: list[Message], names: ToolNames) -> list[JSON]:
    return [
        {
            "call": {
                "name": names.upstream(message.call.name),
                "parameters": names.call_arguments(
                    names.upstream(message.call.name),
                    parse_arguments(message.call.arguments),
                ),
            },
            "outputs": _outputs(message),
        }
        for message in messages
        if message.role == "tool"
    ]


def _outputs(message: Message) -> list[JSON]:
    """Return a result as the list of objects that Cohere wants."""
    text = text_of(message.content, f"{message.param}.content")
    try:
        value = decode(text)
    except JSONError:
        value = text
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value or [{"result": ""}]
    return [{"result": text}]


def _tools(rendering: Rendering) -> list[JSON]:
    offered, choice, _ = offer_of(rendering.body, says_none=False, says_named=False)
    if choice.mode in ("named", "required"):
        rendering.losses.downgrade(choice.param)
    return [_tool(tool, rendering.names) for tool in offered]


def _tool(tool: Tool, names: ToolNames) -> JSON:
    refuse_native(tool)
    name = names.upstream(tool.name)
    schema = names.schema(name, tool_parameters(tool.parameters, tool.schema_param))
    required, properties = schema.get("required"), schema.get("properties")
    needed = required if isinstance(required, list) else []
    definitions = {
        name: _definition(value, name in needed)
        for name, value in (properties if isinstance(properties, dict) else {}).items()
        if isinstance(value, dict)
    }
    return {
        "name": name,
        "description": tool.description or tool.name,
        "parameter_definitions": definitions,
    }


def _definition(schema: JSON, is_required: bool) -> JSON:
    """Return one parameter; what its type cannot say goes into the description."""
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), None)
    known = _TYPES.get(kind) if isinstance(kind, str) else None
    described = schema.get("description")
    description = described if isinstance(described, str) else ""
    rest = {
        key: value
        for key, value in schema.items()
        if key not in ("type", "description")
    }
    if rest:
        description = f"{description} JSON schema: {dumps(rest)}".strip()
    return {
        "type": known or "str",
        "description": description,
        "required": is_required,
    }


# --- answers --------------------------------------------------------------------------


def parse(payload: JSON, reply: Reply) -> JSON:
    """Return a whole answer; raises `GatewayError` (502) if `payload` is none."""
    text = payload.get("text")
    if not isinstance(text, str):
        raise no_answer("holds no text")
    ids = CallIds(reply)
    calls = [
        chunks.tool_call(ids.take(""), name, dumps(parameters))
        for name, parameters in _calls(payload, reply)
    ]
    native = payload.get("finish_reason")
    return chunks.completion(
        reply,
        chunks.message(
            reply, content=text if text or not calls else None, tool_calls=calls
        ),
        FINISH_REASONS.finish_reason(native, has_calls=bool(calls)),
        None,
        native=native if isinstance(native, str) else None,
    )


def _calls(body: JSON, reply: Reply) -> list[tuple[str, Any]]:
    """Return name and parameters of the calls.

    Raises `GatewayError` (502) for parameters of a call that has no name.
    """
    calls = body.get("tool_calls")
    found = []
    for call in calls if isinstance(calls, list) else ():
        if not isinstance(call, dict):
            continue
        name, parameters = call.get("name"), call.get("parameters") or {}
        if not isinstance(name, str) or not name:
            name = name_of_nameless(dumps(parameters), reply)
        if name:
            found.append((name, parameters))
    return found


class CohereReader:
    """Reads the events that Command R streams."""

    def __init__(self, reply: Reply, writer: AnswerWriter) -> None:
        self._reply = reply
        self._writer = writer
        self._ids = CallIds(reply)
        self._has_calls = False

    def read(self, body: JSON) -> None:
        """Take in one event; unknown ones are ignored."""
        match body:
            case {"event_type": "text-generation", "text": str(text)}:
                self._writer.text(text)
            case {"event_type": "tool-calls-generation"}:
                self._read_calls(body)
            case {"event_type": "stream-end"}:
                response = body.get("response")
                response = response if isinstance(response, dict) else {}
                if not self._has_calls:
                    self._read_calls(response)
                native = body.get("finish_reason") or response.get("finish_reason")
                self._writer.stop(native)

    def _read_calls(self, body: JSON) -> None:
        for name, parameters in _calls(body, self._reply):
            self._has_calls = True
            index = self._writer.tool_start(self._ids.take(""), name)
            self._writer.tool_arguments(index, dumps(parameters))

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        self._writer.finish()

"""Models that take OpenAI's body over InvokeModel: gpt-oss, Qwen, Kimi, Mistral, ...

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-chat-completion.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gateway.errors import unsupported
from gateway.translators import chunks
from gateway.translators.bedrock.tags import TagSplitter, split
from gateway.translators.content import Document, Image, Part, Text, parse_part
from gateway.translators.converse.answer import (
    AnswerStream,
    CallIds,
    count,
    finish_reason,
)
from gateway.translators.converse.json_mode import asked_in_words
from gateway.translators.converse.params import drop_rest, has_flag, refuse
from gateway.translators.protocol import JSON, Reply, Route
from gateway.translators.reasoning import reasoning_of
from gateway.translators.tool_calls import (
    ToolNames,
    call_ids,
    calls_of,
    mistral_id,
)
from gateway.translators.tools import (
    ToolChoice,
    allowed_tools,
    is_parallel,
    tool_choice_of,
    tools_of,
)
from gateway.translators.upstream_errors import no_answer
from gateway.translators.validation import Losses, ValidRequest, output_limit
from gateway.wire.jsontext import dumps

# --- requests -------------------------------------------------------------------------


@dataclass(frozen=True)
class Host:
    """Where the servers behind this body differ.

    `limit` names the output limit, `required` the tool choice that forces a call.
    `passed` are OpenAI's parameters that go through; `efforts` maps an effort, and
    what it lacks goes through as it is.
    """

    limit: str = "max_tokens"
    required: str = "required"
    passed: frozenset[str] = frozenset(
        {
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "logit_bias",
            "reasoning_effort",
        }
    )
    efforts: Mapping[str, str] | None = None
    takes_stop: bool = True
    takes_format: bool = True
    is_mistral: bool = False
    only_strings: bool = False


_PLAIN = Host()
_MISTRAL = Host(required="any", is_mistral=True)
_MISTRAL_CHAT = replace(
    _MISTRAL,
    passed=frozenset(),
    takes_stop=False,
    takes_format=False,
    only_strings=True,
)
_MOONSHOT = Host(required="auto", takes_stop=False)

_HOSTS = {
    "openai.gpt-oss": Host(
        limit="max_completion_tokens",
        passed=_PLAIN.passed - {"logit_bias"} | {"logprobs", "top_logprobs"},
        efforts={"none": "low", "minimal": "low", "xhigh": "high", "max": "high"},
    ),
    "qwen.": Host(
        passed=_PLAIN.passed - {"reasoning_effort"} | {"logprobs", "top_logprobs"}
    ),
    "moonshot.": _MOONSHOT,
    "moonshotai.": _MOONSHOT,
    "mistral.": _MISTRAL,
    "mistral.mistral-large-2": _MISTRAL_CHAT,
    "mistral.pixtral-": replace(_MISTRAL_CHAT, only_strings=False),
}

_is_tagged = re.compile(
    r"openai\.gpt-oss|moonshot(ai)?\.|minimax\.|qwen\..*thinking"
).match
"""Models that write their thinking into the text, between tags."""


@lru_cache(maxsize=256)
def host_of(base: str) -> Host:
    """Return how the server of a base model differs."""
    prefixes = [prefix for prefix in _HOSTS if base.startswith(prefix)]
    return _HOSTS[max(prefixes, key=len)] if prefixes else _PLAIN


def wire_of(base: str) -> str:
    """Return the name under which the answer's reader is found again."""
    return "oai-tagged" if _is_tagged(base) else "oai"


def render(
    valid: ValidRequest, route: Route, base: str, losses: Losses, reply: Reply
) -> tuple[JSON, Reply]:
    """Return OpenAI's body as Bedrock takes it, without model and streaming.

    Raises `GatewayError` (400) for what cannot be expressed.
    """
    body, host, names = valid.body, host_of(base), ToolNames()
    refuse(body, host.passed)
    reads_effort = reasoning_of(body).effort and "reasoning_effort" in host.passed
    used = host.passed | {"reasoning"} if reads_effort else host.passed
    drop_rest(valid, losses, used)
    rendered: JSON = {"messages": _messages(valid, route, host, names)}
    rendered.update(_tools(body, host, names, losses))
    limit = output_limit(body)
    if limit is not None:
        rendered[host.limit] = limit
    taken = {"temperature", "top_p", *(("stop",) if host.takes_stop else ())}
    rendered.update(
        {
            name: body[name]
            for name in (*sorted(taken), *sorted(host.passed))
            if name in body
        }
    )
    effort = reasoning_of(body).effort
    if effort and "reasoning_effort" in host.passed:
        rendered["reasoning_effort"] = (host.efforts or {}).get(effort, effort)
    wanted = ""
    if host.takes_format and "response_format" in body:
        rendered["response_format"] = body["response_format"]
    elif wanted := asked_in_words(body, losses):
        _instruct(rendered["messages"], wanted)
    return rendered, replace(
        reply,
        tool_names=names.originals,
        strip_fence=bool(wanted),
        stop=() if host.takes_stop else tuple(body.get("stop", ())),
        single_tool_call=not is_parallel(body),
    )


def _instruct(messages: list[JSON], wanted: str) -> None:
    """Append to the system messages that the conversation begins with."""
    roles = [message["role"] for message in messages]
    place = next((i for i, role in enumerate(roles) if role != "system"), len(roles))
    messages.insert(place, {"role": "system", "content": wanted})


def _tools(body: JSON, host: Host, names: ToolNames, losses: Losses) -> JSON:
    offered = tools_of(body)
    choice = tool_choice_of(body, offered)
    offered = allowed_tools(offered, choice)
    if choice.mode == "named" and (host.is_mistral or host.required == "auto"):
        offered = [tool for tool in offered if tool.name == choice.name]
    tools = []
    for tool in offered:
        if tool.native is not None:
            raise unsupported(
                f"'{tool.param}' is a tool in Anthropic's own format, which this "
                "provider does not take. Write it as a function.",
                param=tool.param,
            )
        function: JSON = {"name": names.upstream(tool.name)}
        if tool.description:
            function["description"] = tool.description
        function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
        if tool.strict and not host.is_mistral:
            function["strict"] = True
        tools.append({"type": "function", "function": function})
    if not tools:
        return {}
    rendered: JSON = {"tools": tools}
    if (chosen := _choice(choice, host, names, losses)) is not None:
        rendered["tool_choice"] = chosen
    return rendered


def _choice(
    choice: ToolChoice, host: Host, names: ToolNames, losses: Losses
) -> str | JSON | None:
    if choice.mode in ("", "auto", "none"):
        return choice.mode or None
    if host.required == "auto":
        losses.downgrade(choice.param)
        return "auto"
    if choice.mode == "named" and not host.is_mistral:
        return {"type": "function", "function": {"name": names.upstream(choice.name)}}
    return host.required


def _messages(
    valid: ValidRequest, route: Route, host: Host, names: ToolNames
) -> list[JSON]:
    messages = valid.body["messages"]
    ids = call_ids(messages, mistral_id if host.is_mistral else str)
    rendered: list[JSON] = []
    for index, message in enumerate(messages):
        param = f"messages[{index}].content"
        content = _content(message.get("content"), param, route, host)
        match message["role"]:
            case "system" | "developer":
                rendered.append({"role": "system", "content": content or ""})
            case "user":
                rendered.append({"role": "user", "content": content or ""})
            case "assistant":
                rendered.append(_assistant(index, message, content, ids, names, route))
            case _:
                call = ids[valid.results[index]]
                rendered.append(
                    {"role": "tool", "tool_call_id": call, "content": content or ""}
                )
    return _begun(rendered)


def _begun(messages: list[JSON]) -> list[JSON]:
    """Let the user begin: several chat templates refuse anything else."""
    first = next((m for m in messages if m["role"] != "system"), None)
    if first is not None and first["role"] == "assistant":
        messages.insert(
            messages.index(first), {"role": "user", "content": "(continue)"}
        )
    return messages


def _assistant(
    index: int,
    message: JSON,
    content: str | list[JSON] | None,
    ids: Mapping[tuple[int, int], str],
    names: ToolNames,
    route: Route,
) -> JSON:
    refusal = message.get("refusal")
    if content is None and isinstance(refusal, str):
        content = refusal
    rendered: JSON = {"role": "assistant", "content": content}
    reasoning = message.get("reasoning_content")
    if isinstance(reasoning, str) and has_flag(route, "send_reasoning_content"):
        rendered["reasoning_content"] = reasoning
    calls = [
        {
            "id": ids[index, position],
            "type": "function",
            "function": {
                "name": names.upstream(call.name),
                "arguments": _arguments(call.arguments),
            },
        }
        for position, call in enumerate(calls_of(message))
    ]
    if calls:
        rendered["tool_calls"] = calls
    return rendered


def _arguments(arguments: str | JSON | None) -> str:
    if isinstance(arguments, str):
        return arguments if arguments.strip() else "{}"
    return dumps(arguments or {})


def _content(
    content: Any, param: str, route: Route, host: Host
) -> str | list[JSON] | None:
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
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
        case Text(text):
            return {"type": "text", "text": text}
        case Document() if part.is_text:
            return {"type": "text", "text": part.text}
        case Image() if part.data and has_flag(route, "vision"):
            url = f"data:{part.media_type};base64,{part.base64}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Image() if part.data:
            raise unsupported(
                f"This model is not marked as one that sees: remove '{param}', or set "
                "the model's capability 'vision'.",
                param=param,
            )
    raise unsupported(
        f"This model does not read what '{param}' holds. Send it as text.", param=param
    )


# --- answers --------------------------------------------------------------------------


def parse(payload: JSON, reply: Reply, *, is_tagged: bool) -> JSON:
    """Return a whole answer; raises `GatewayError` (502) if `payload` is none."""
    choice = _first_choice(payload)
    if choice is None:
        raise no_answer("holds no choice")
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice.get("text")}
    text, reasoning = _text(message.get("content")), _reasoning(message)
    if is_tagged and text:
        thought, text = split(text)
        reasoning += thought
    ids = CallIds(reply)
    calls = [
        chunks.tool_call(ids.take(call.get("id")), name, _dumped(function))
        for call in _calls(message)
        if isinstance(function := call.get("function"), dict)
        and isinstance(name := function.get("name"), str)
    ]
    native = choice.get("finish_reason") or choice.get("stop_reason")
    refusal = message.get("refusal")
    return chunks.completion(
        reply,
        chunks.message(
            reply,
            content=text if text or not calls else None,
            reasoning=reasoning,
            tool_calls=calls,
            refusal=refusal if isinstance(refusal, str) else None,
        ),
        finish_reason(native, bool(calls)),
        openai_usage(payload.get("usage")),
        native=native if isinstance(native, str) else None,
        logprobs=choice.get("logprobs"),
    )


def _first_choice(payload: JSON) -> JSON | None:
    match payload.get("choices"):
        case [dict(choice), *_]:
            return choice
    return None


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return content if isinstance(content, str) else ""


def _reasoning(message: JSON) -> str:
    for name in ("reasoning_content", "reasoning"):
        if isinstance(message.get(name), str):
            return str(message[name])
    return ""


def _calls(message: JSON) -> list[JSON]:
    calls = message.get("tool_calls")
    found = calls if isinstance(calls, list) else []
    return [call for call in found if isinstance(call, dict)]


def _dumped(function: JSON) -> str:
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        return arguments or "{}"
    return dumps(arguments if arguments is not None else {})


def openai_usage(usage: Any) -> JSON | None:
    """Return an OpenAI-shaped usage with a total of our own; None if it is none."""
    if not isinstance(usage, dict) or "prompt_tokens" not in usage:
        return None
    counted = chunks.usage(
        count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    )
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        if isinstance(usage.get(name), dict):
            counted[name] = usage[name]
    return counted


class ChoiceReader:
    """Reads the chunks of a chat completion, tolerant of older shapes."""

    def __init__(self, reply: Reply, *, is_tagged: bool) -> None:
        self.answer = AnswerStream(reply)
        self._splitter = TagSplitter() if is_tagged else None
        self._calls: dict[Any, int] = {}
        self._with_arguments: set[int] = set()

    def read(self, body: JSON) -> None:
        """Take in one chunk."""
        usage = openai_usage(body.get("usage"))
        if usage is not None:
            self.answer.usage = usage
        choice = _first_choice(body)
        if choice is None:
            return
        delta = choice.get("delta", choice.get("message"))
        delta = delta if isinstance(delta, dict) else {"content": choice.get("text")}
        self.answer.role()
        self.answer.reasoning(_reasoning(delta))
        self._write(_text(delta.get("content")), choice.get("logprobs"))
        if isinstance(delta.get("refusal"), str) and delta["refusal"]:
            self.answer.delta({"refusal": delta["refusal"]})
        for position, call in enumerate(_calls(delta)):
            self._read_call(call, position)
        native = choice.get("finish_reason") or choice.get("stop_reason")
        if native is not None:
            self.answer.stop(native)

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        if self._splitter is not None:
            reasoning, text = self._splitter.end()
            self.answer.reasoning(reasoning)
            self.answer.text(text)
        for call in self._calls.values():
            if call not in self._with_arguments:
                self._with_arguments.add(call)
                self.answer.tool_arguments(call, "{}")
        self.answer.finish()

    def _write(self, text: str, logprobs: Any) -> None:
        if self._splitter is None:
            self.answer.text(text, logprobs)
            return
        reasoning, content = self._splitter.feed(text)
        self.answer.reasoning(reasoning)
        self.answer.text(content, logprobs)

    def _read_call(self, call: JSON, position: int) -> None:
        index = call.get("index", position)
        function = call.get("function")
        if not isinstance(function, dict) or not isinstance(index, int):
            return
        ordinal = self._calls.get(index)
        if ordinal is None:
            name = function.get("name")
            if not isinstance(name, str) or not name:
                raise no_answer("holds arguments of a tool call that never began")
            ordinal = self._calls[index] = self.answer.tool_start(call.get("id"), name)
        arguments = function.get("arguments")
        if arguments is None or arguments == "":
            return
        text = arguments if isinstance(arguments, str) else dumps(arguments)
        self._with_arguments.add(ordinal)
        self.answer.tool_arguments(ordinal, text)

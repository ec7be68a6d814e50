"""The response object, and a whole answer as one.

https://platform.openai.com/docs/api-reference/responses/object
"""

from collections.abc import Callable
from typing import Any

from gateway.doors.responses.calls import PREFIXES, call_item, offered_as, said_in
from gateway.doors.responses.ids import Ids
from gateway.doors.responses.output import (
    annotations_of,
    logprobs_of,
    message_item,
    reasoning_item,
    refusal_part,
    text_part,
)
from gateway.doors.responses.reading import Reading
from gateway.doors.responses.usage import estimated_usage, usage_of
from gateway.hub.protocol import JSON
from gateway.hub.requests.replay import ReplayedBlock, in_order

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is incomplete, by the hub's word for its end."""


def response_of(completion: JSON, reading: Reading) -> JSON:
    """Return a whole answer."""
    ids = Ids(reading.route.completion_id)
    choice = (completion.get("choices") or [{}])[0]
    message, reason = choice.get("message") or {}, choice.get("finish_reason")
    why = incomplete_reason(reason, refused=bool(message.get("refusal")))
    output = _Output(ids, reading).of(message, choice.get("logprobs"))
    response = head(ids.response, reading, "completed")
    if why is not None:
        response |= {"completed_at": None, "status": "incomplete"}
        response["incomplete_details"] = {"reason": why}
        if output:
            output[-1]["status"] = "incomplete"
    response["output"] = output
    response["service_tier"] = tier_of(completion.get("service_tier"))
    response["usage"] = _usage(completion.get("usage"), output, reading)
    response |= echo_of(reading)
    return response


def _usage(usage: Any, output: list[JSON], reading: Reading) -> JSON:
    if isinstance(usage, dict) and usage:
        return usage_of(usage)
    return estimated_usage(reading, sum(map(_length, output)))


def head(id: str, reading: Reading, status: str) -> JSON:
    """Return what changes from one state of a response to the next."""
    created = reading.route.created
    return {
        "id": id,
        "object": "response",
        "created_at": created,
        "completed_at": created if status == "completed" else None,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "output": [],
        "service_tier": "default",
        "store": reading.is_kept and status != "failed",
        "usage": None,
    }


_TIERS = frozenset(
    {"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"}
)


def tier_of(told: Any) -> str:
    """Return the tier that served an answer; other vendors' names are none of OpenAI's.

    Groq's ``on_demand`` fails where clients read responses by the official types.
    """
    return told if isinstance(told, str) and told in _TIERS else "default"


def incomplete_reason(finish_reason: Any, *, refused: bool) -> str | None:
    """Return why an answer is incomplete, None where it is not.

    A model that says why it declines has answered.
    """
    if finish_reason == "content_filter" and refused:
        return None
    return INCOMPLETE.get(finish_reason) if isinstance(finish_reason, str) else None


def echo_of(reading: Reading) -> JSON:
    """Return what a response repeats of its request.

    Where a stream begins early nobody has looked at the body yet.
    """
    body = reading.body
    echo = _UNASKED.copy()
    for name in _REPEATED.intersection(body):
        if (value := body[name]) is not None:
            shaped = _SHAPED.get(name)
            echo[name] = value if shaped is None else shaped(value)
    return echo


def _tools(tools: Any) -> list[Any]:
    return [_tool(tool) for tool in tools] if isinstance(tools, list) else []


def _text(given: Any) -> JSON:
    text = _object(given)
    told: JSON = {"format": text.get("format") or {"type": "text"}}
    if text.get("verbosity") is not None:
        told["verbosity"] = text["verbosity"]
    return told


def _reasoning(given: Any) -> JSON:
    reasoning = _object(given)
    return {
        "effort": reasoning.get("effort"),
        "summary": reasoning.get("summary") or reasoning.get("generate_summary"),
    }


_SHAPED: dict[str, Callable[[Any], Any]] = {
    "tools": _tools,
    "text": _text,
    "reasoning": _reasoning,
}
"""What is not repeated as it was sent."""

_ASKED: JSON = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "user": None,
    "frequency_penalty": 0.0,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "model": None,
    "tools": [],
    "text": {"format": {"type": "text"}},
    "reasoning": {"effort": None, "summary": None},
}
"""What is repeated, in its order, and what stands there where nobody asked."""

_UNASKED: JSON = {
    **_ASKED,
    "background": False,
    "previous_response_id": None,
    "truncation": "disabled",
}
_REPEATED = frozenset(_ASKED)


def _object(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def _tool(tool: Any) -> Any:
    """Return a tool as it was sent; a function has all of its fields."""
    if not isinstance(tool, dict):
        return tool
    if tool.get("type") != "function" or "function" in tool:
        return tool
    return {"description": None, "parameters": None, "strict": None, **tool}


class _Output:
    """The items of a whole answer, in the order in which they were produced."""

    def __init__(self, ids: Ids, reading: Reading) -> None:
        self._ids = ids
        self._reading = reading

    def of(self, message: JSON, logprobs: Any) -> list[JSON]:
        """Return the items that a message of the hub comes to."""
        text = message.get("content")
        if text and logprobs is None and not any(map(message.get, _MORE)):
            parts = [text_part(text, [], [])]
            return [message_item(self._ids.take("msg"), parts, "completed")]
        blocks = message.get("thinking_blocks")
        thought = self._blocks(blocks) if blocks else self._reasoning(message)
        spoken = self._message(message, logprobs)
        calls = [self._call(call) for call in message.get("tool_calls") or ()]
        return in_order(thought, [*spoken, *calls])

    def _blocks(self, blocks: list[JSON]) -> list[ReplayedBlock]:
        return [
            ReplayedBlock(
                reasoning_item(
                    self._ids.take("rs"), block.get("thinking", ""), "completed", block
                ),
                block.get("block_index", block.get("index")),
            )
            for block in blocks
        ]

    def _reasoning(self, message: JSON) -> list[ReplayedBlock]:
        text = message.get("reasoning_content") or message.get("reasoning")
        if not isinstance(text, str) or not text:
            return []
        item = reasoning_item(self._ids.take("rs"), text, "completed")
        return [ReplayedBlock(item, 0)]

    def _message(self, message: JSON, logprobs: Any) -> list[JSON]:
        text, refusal = message.get("content"), message.get("refusal")
        if refusal and self._reading.is_codex:
            text, refusal = (text or "") + refusal, None
        if not text and not refusal and _says_more(message):
            return []
        parts = []
        if text or not refusal:
            annotations = annotations_of(message.get("annotations"))
            parts.append(text_part(text or "", annotations, logprobs_of(logprobs)))
        if refusal:
            parts.append(refusal_part(refusal))
        return [message_item(self._ids.take("msg"), parts, "completed")]

    def _call(self, call: JSON) -> JSON:
        function = call["function"]
        offered = offered_as(function["name"], self._reading.kinds)
        said = said_in(offered, function.get("arguments") or "")
        id = self._ids.take(PREFIXES[offered.kind])
        return call_item(offered, id, call["id"], said, "completed")


_BESIDE = ("tool_calls", "thinking_blocks", "reasoning_content", "reasoning")
"""What a message may say beside its text, or without one."""
_MORE = (*_BESIDE, "annotations", "refusal")


def _says_more(message: JSON) -> bool:
    return any(map(message.get, _BESIDE))


def _length(item: JSON) -> int:
    """Return how many characters an item says, about."""
    match item:
        case {"content": list(parts)}:
            return sum(
                len(part.get("text") or part.get("refusal") or "") for part in parts
            )
        case {"summary": list(parts)}:
            return sum(len(part["text"]) for part in parts)
        case {"arguments": str(said)} | {"input": str(said)}:
            return len(said)
        case _:
            return 0

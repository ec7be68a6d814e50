"""A whole answer as the Messages API's message.

https://platform.claude.com/docs/en/api/messages
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.doors.messages.calls import client_id, input_of, is_broken
from gateway.doors.messages.citations import citations_of
from gateway.doors.messages.stops import ending
from gateway.doors.messages.usage import usage_of
from gateway.wire.jsontext import JSON

_odd = re.compile(r"[^A-Za-z0-9]").sub


_MORE = (
    "annotations",
    "citations",
    "reasoning",
    "reasoning_content",
    "refusal",
    "text_blocks",
    "thinking_blocks",
    "tool_calls",
)
"""What a message may say beside its text."""


class Wanted(NamedTuple):
    """What an answer must know of its request.

    `names` leads from the names of tools that were sent to the client's; `is_single`
    asks for one call at most; `input_tokens` is an estimate, for where nothing better
    is known.
    """

    model: str
    names: Mapping[str, str]
    is_single: bool = False
    hides_thinking: bool = False
    input_tokens: int = 0


def message_id(completion_id: str) -> str:
    """Return a message's id, made of the completion's."""
    return f"msg_{_odd('', completion_id)[-60:]}"


def message_of(completion: JSON, wanted: Wanted) -> JSON:
    """Return the message that a `chat.completion` is."""
    choice = (completion.get("choices") or [{}])[0]
    said = choice.get("message") or {}
    id = str(completion.get("id") or "")
    text, refusal = said.get("content"), said.get("refusal")
    calls: list[JSON] = []
    if isinstance(text, str) and text.strip() and not any(map(said.get, _MORE)):
        # As nearly all: text and nothing else.
        content: list[JSON] = [{"type": "text", "text": text}]
    else:
        calls = _calls(said, choice, wanted, id)
        thinking, texts = _thinking(said, wanted), _texts(said)
        content = _in_place(said, thinking, calls) or [*thinking, *texts, *calls]
    told = ending(
        choice,
        has_calls=bool(calls),
        refusal=refusal.strip() if isinstance(refusal, str) else "",
    )
    usage = completion.get("usage")
    length = 0 if isinstance(usage, dict) else _length(content)
    return {
        "id": message_id(id),
        "type": "message",
        "role": "assistant",
        "model": wanted.model,
        "content": content,
        **told,
        "usage": usage_of(usage, wanted.input_tokens, length),
    }


def _in_place(said: JSON, thinking: list[JSON], calls: list[JSON]) -> list[JSON]:
    """Return blocks apart and in their model's order, where these are known.

    What became of the text on the way is told by its `content`: cut, it is one.
    """
    texts = said.get("text_blocks")
    if not texts or "".join(each["text"] for each in texts) != said.get("content"):
        return []
    given = [each.get("index", -1) for each in said.get("thinking_blocks") or ()]
    placed = list(zip(given or [-1] * len(thinking), thinking, strict=False))
    for each in texts:
        if each["text"].strip():
            placed.append((each["block_index"], _text(each["text"], each)))
    numbers = [call.get("block_index", 0) for call in said.get("tool_calls") or ()]
    placed += zip(numbers, calls, strict=False)
    return [block for _, block in sorted(placed, key=lambda each: each[0])]


def _text(text: str, source: JSON) -> JSON:
    block: JSON = {"type": "text", "text": text}
    if cited := citations_of(source):
        block["citations"] = cited
    return block


def _thinking(said: JSON, wanted: Wanted) -> list[JSON]:
    if wanted.hides_thinking:
        return []
    signed = said.get("thinking_blocks")
    if isinstance(signed, list) and signed:
        return [_complete(block) for block in signed if isinstance(block, dict)]
    text = said.get("reasoning_content") or said.get("reasoning")
    if not isinstance(text, str) or not text:
        return []
    return [{"type": "thinking", "thinking": text, "signature": ""}]


def _complete(block: JSON) -> JSON:
    """Return a block without its place; what nobody signed has an empty signature."""
    told = {key: block[key] for key in block if key not in ("index", "block_index")}
    if told.get("type") == "thinking":
        told.setdefault("signature", "")
    return told


def _texts(said: JSON) -> list[JSON]:
    blocks: list[JSON] = []
    for text in (said.get("content"), said.get("refusal")):
        # Brought back, Claude would refuse a text of blanks.
        if isinstance(text, str) and text.strip():
            blocks.append({"type": "text", "text": text})
    cited = citations_of(said)
    if blocks and cited:
        blocks[0]["citations"] = cited
    return blocks


def _calls(said: JSON, choice: JSON, wanted: Wanted, id: str) -> list[JSON]:
    calls = said.get("tool_calls")
    calls = calls if isinstance(calls, list) else []
    if wanted.is_single:
        calls = calls[:1]
    is_cut = choice.get("finish_reason") == "length"
    if is_cut and calls and is_broken(calls[-1]["function"].get("arguments")):
        # It was still being written.
        calls = calls[:-1]
    seen: set[str] = set()
    return [_call(call, place, wanted, id, seen) for place, call in enumerate(calls)]


def _call(call: JSON, place: int, wanted: Wanted, id: str, seen: set[str]) -> JSON:
    function: Any = call["function"]
    given = client_id(call.get("id"), id, place)
    if given in seen:
        given = client_id("", id, place)
    seen.add(given)
    name = function["name"]
    return {
        "type": "tool_use",
        "id": given,
        "name": wanted.names.get(name, name),
        "input": input_of(function.get("arguments")),
    }


def _length(content: list[JSON]) -> int:
    return sum(
        len(block.get(field) or "")
        for block in content
        for field in ("text", "thinking")
    )

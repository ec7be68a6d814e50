"""The grammar of Ollama's streams, a line of JSON each, and what such a stream says.

https://docs.ollama.com/api/streaming
"""

import json
from typing import Any, NamedTuple

from ollama import ChatResponse

Line = dict[str, Any]


class Told(NamedTuple):
    """What a stream says; `failure` is the sentence of an error at its end."""

    text: str
    thinking: str
    calls: list[tuple[str, Any]]
    done_reason: str
    usage: tuple[int, int]
    failure: str


def checked(raw: bytes) -> Told:
    """Return what a stream says; fails where a rule is broken.

    One line at its end says that it is done and why, or tells an error.
    """
    assert raw.endswith(b"\n"), raw[-80:]
    *lines, last = [json.loads(line) for line in raw.splitlines() if line.strip()]
    failure = last.get("error", "")
    if failure:
        assert set(last) == {"error"}
    else:
        assert last["done"] is True
        lines.append(last)
    assert not any(line["done"] for line in lines if line is not last)
    for line in lines:
        ChatResponse.model_validate(line)
        assert line["message"]["role"] == "assistant"
    messages = [line["message"] for line in lines]
    functions = [
        call["function"] for each in messages for call in each.get("tool_calls") or ()
    ]
    return Told(
        "".join(each["content"] for each in messages),
        "".join(each.get("thinking", "") for each in messages),
        [(function["name"], function["arguments"]) for function in functions],
        last.get("done_reason", ""),
        (last.get("prompt_eval_count", 0), last.get("eval_count", 0)),
        failure,
    )

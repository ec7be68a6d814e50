"""The rules for a whole answer."""

from gateway.hub.answers.calls.renamed import restored
from gateway.hub.answers.reply_rules.texts import TextRules
from gateway.hub.protocol import JSON, Reply


def ruled(completion: JSON, reply: Reply) -> JSON:
    """Return a `chat.completion` after the rules; `completion` is not changed."""
    choice = dict(completion["choices"][0])
    message = dict(choice["message"])
    finish = choice["finish_reason"]
    calls, content = _whole_calls(message.pop("tool_calls", None) or [], reply)
    said = message.get("content")
    # What is no text goes as it came: a broken server's number, say.
    if content is None and said and isinstance(said, str):
        text = TextRules(reply)
        content = text.feed(said) + text.close()
        if text.stopped:
            calls, finish = [], "stop"
            if reply.tells_stop:
                choice["stop_sequence"] = text.stop
    if content is not None:
        message["content"] = content
    if calls and reply.legacy_functions:
        message["function_call"] = calls[0]["function"]
    elif calls:
        message["tool_calls"] = calls
    finish = finish_reason(finish, bool(calls), reply)
    choice = {**choice, "message": message, "finish_reason": finish}
    return {**completion, "choices": [choice]}


def _whole_calls(calls: list[JSON], reply: Reply) -> tuple[list[JSON], str | None]:
    """Return the calls that the client sees, and the JSON tool's input if called."""
    visible: list[JSON] = []
    content: str | None = None
    for call in calls:
        function = call["function"]
        if names := reply.argument_names.get(function["name"]):
            arguments = restored(function["arguments"], names)
            function = {**function, "arguments": arguments}
        if reply.json_tool and function["name"] == reply.json_tool:
            content = function["arguments"] if content is None else content
            continue
        name = reply.tool_names.get(function["name"], function["name"])
        visible.append({**call, "function": {**function, "name": name}})
    if reply.single_tool_call or reply.legacy_functions:
        visible = visible[:1]
    return visible, content


def finish_reason(reason: str, called: bool, reply: Reply) -> str:
    """Return why an answer ended once its calls went through the rules."""
    if reason != "tool_calls":
        return reason
    if not called:
        return "stop"
    return "function_call" if reply.legacy_functions else reason

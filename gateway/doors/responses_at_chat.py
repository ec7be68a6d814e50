"""Requests in the shape of responses at the path of chat completions.

Cursor sends such for some models, whole or in part (flat tools beside `messages`), and
reads the answer as a chat completion: https://github.com/gabrii/Cursor-Azure-GPT-5
Custom tools, which the hub knows as functions, come back as chat's own.
https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools
"""

from typing import Any

from gateway.doors.protocol import JSON, HubRequest, Sent
from gateway.doors.responses.custom_input import (
    CustomInput,
    custom_arguments,
    custom_input,
)
from gateway.doors.responses.reading import Reading
from gateway.doors.responses.request.choice import choice_of
from gateway.doors.responses.request.offer import Kinds, Offer
from gateway.doors.responses.request.paths import Paths
from gateway.hub.protocol import Route
from gateway.hub.requests.losses import Losses

_FLAT = frozenset({"function", "custom"})


class Reshaped:
    """One request that is not quite chat's, read for the target that it is sent to."""

    def __init__(self, body: JSON, sent: Sent) -> None:
        self._body = body
        self._reading = None if body.get("messages") else Reading(body, sent)
        self._kinds: Kinds = {}

    def hub_request(self, route: Route) -> HubRequest:
        """Return it in the hub's format; raises a 400 for what that cannot express."""
        if self._reading is None:
            return self._with_nested_tools(route)
        form = self._reading.form(route)
        self._kinds = form.kinds
        hub = {name: form.body[name] for name in form.body if name != "stream_options"}
        if isinstance(options := self._body.get("stream_options"), dict):
            hub["stream_options"] = options
        return HubRequest(
            hub, form.dropped, form.downgraded, client_path=form.client_path
        )

    def is_custom(self, name: Any) -> bool:
        """Tell whether calls of the hub's function are those of a custom tool."""
        return name in self._kinds and self._kinds[name].kind == "custom"

    def answer(self, completion: JSON) -> JSON:
        """Return a whole answer with the calls of custom tools as chat has them."""
        choices = [self._choice(choice) for choice in completion.get("choices") or ()]
        return {**completion, "choices": choices}

    def _choice(self, choice: JSON) -> JSON:
        message = choice.get("message") or {}
        if not message.get("tool_calls"):
            return choice
        calls = [self._call(call) for call in message["tool_calls"]]
        return {**choice, "message": {**message, "tool_calls": calls}}

    def _call(self, call: JSON) -> JSON:
        function = call.get("function") or {}
        if not self.is_custom(function.get("name")):
            return call
        said = custom_input(function.get("arguments") or "")
        custom = {"name": function["name"], "input": said}
        return {"id": call["id"], "type": "custom", "custom": custom}

    def _with_nested_tools(self, route: Route) -> HubRequest:
        """Return a request whose flat tools are chat's, all else as it stands."""
        body, losses = self._body, Losses(route)
        offer = Offer(Paths(), losses, searches=False)
        tools = []
        for at, tool in enumerate(body["tools"]):
            if is_flat(tool):
                offer.add(tool, f"tools[{at}]")
                tool = offer.functions[-1]
            tools.append(tool)
        self._kinds = offer.kinds
        hub = {**body, "tools": tools, "messages": _messages(body["messages"])}
        choice = body.get("tool_choice")
        if isinstance(choice, dict) and choice.get("type") in _FLAT:
            hub["tool_choice"] = choice_of(choice, offer)
        return HubRequest(hub)


def is_flat(tool: Any) -> bool:
    """Tell whether a tool is written as responses have it, its name at the top."""
    return (
        isinstance(tool, dict)
        and "name" in tool
        and isinstance(kind := tool.get("type"), str)
        and kind in _FLAT
        and "input_schema" not in tool
    )


def _messages(messages: Any) -> Any:
    """Return messages with the calls of custom tools as the functions they are."""
    if not isinstance(messages, list):
        return messages
    return [
        {**message, "tool_calls": [_function_call(c) for c in message["tool_calls"]]}
        if isinstance(message, dict) and isinstance(message.get("tool_calls"), list)
        else message
        for message in messages
    ]


def _function_call(call: Any) -> Any:
    match call:
        case {"type": "custom", "custom": {"name": str(name), "input": str(said)}}:
            function = {"name": name, "arguments": custom_arguments(said)}
            return {"id": call.get("id"), "type": "function", "function": function}
        case _:
            return call


def are_flat(tools: Any) -> bool:
    """Tell whether any of a request's tools is flat."""
    return isinstance(tools, list) and any(map(is_flat, tools))


class CustomCalls:
    """Rewrites the chunks of one stream, whose calls of custom tools come as text."""

    def __init__(self, reshaped: Reshaped) -> None:
        self._reshaped = reshaped
        self._inputs: dict[int, CustomInput] = {}

    def rewritten(self, chunks: list[JSON]) -> list[JSON]:
        """Return the chunks as chat's clients expect them."""
        return [told for chunk in chunks for told in self._chunks(chunk)]

    def _chunks(self, chunk: JSON) -> list[JSON]:
        for choice in chunk["choices"]:
            if calls := choice["delta"].get("tool_calls"):
                told = [self._delta(call) for call in calls]
                return [_with_calls(chunk, choice, told)]
            if choice.get("finish_reason") and (rest := self._rest()):
                unfinished = {**choice, "finish_reason": None}
                return [_with_calls(chunk, unfinished, rest), chunk]
        return [chunk]

    def _delta(self, call: JSON) -> JSON:
        index, function = call["index"], call.get("function") or {}
        head: JSON = {"index": index}
        custom: JSON = {}
        if self._reshaped.is_custom(function.get("name")):
            self._inputs[index] = CustomInput()
            head |= {"id": call.get("id"), "type": "custom"}
            custom["name"] = function["name"]
        if index not in self._inputs:
            return call
        said = self._inputs[index].feed(function.get("arguments") or "")
        return {**head, "custom": {**custom, "input": said}}

    def _rest(self) -> list[JSON]:
        """Return what was held back of the calls until their end."""
        told = {index: each.close() for index, each in self._inputs.items()}
        self._inputs.clear()
        return [{"index": i, "custom": {"input": told[i]}} for i in told if told[i]]


def _with_calls(chunk: JSON, choice: JSON, calls: list[JSON]) -> JSON:
    delta = {**choice["delta"], "tool_calls": calls}
    return {**chunk, "choices": [{**choice, "delta": delta}]}

"""The items of `input`, each as what it is to a conversation.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
"""

from collections.abc import Callable
from typing import Any

from gateway.doors.responses import reasoning
from gateway.doors.responses.custom_input import custom_arguments
from gateway.doors.responses.request.content import content_of, output_of, wrong
from gateway.doors.responses.request.offer import Offer, flattened, names_of
from gateway.doors.responses.request.turns import (
    Answered,
    Called,
    Move,
    Said,
    Spoken,
    Thought,
)
from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.losses import Losses
from gateway.wire import jsontext

HOSTED_HISTORY = frozenset(
    {
        "code_interpreter_call",
        "file_search_call",
        "image_generation_call",
        "mcp_call",
        "mcp_list_tools",
        "web_search_call",
    }
)
"""What OpenAI's own tools left behind; the text that followed them stays."""

_SPEAKERS = ("user", "system", "developer")


class Items:
    """Reads items in their order; what they say beside messages gathers here.

    `settings` are what the last `configuration_update` changed. Tools that come amid
    the conversation join the offer.
    """

    def __init__(self, offer: Offer, losses: Losses) -> None:
        self.settings: JSON = {}
        self._offer = offer
        self._losses = losses
        self._blobs = 0

    def read(self, item: Any, path: str) -> Move | None:
        """Return what an item is to the conversation, None where it says nothing in it.

        Raises a 400 naming what is wrong with it.
        """
        if not isinstance(item, dict):
            raise wrong(path, "expected an object")
        kind = item.get("type")
        if kind is None:
            kind = "message" if "role" in item else "item_reference"
        if not isinstance(kind, str):
            raise wrong(f"{path}.type", "expected a string")
        if kind in HOSTED_HISTORY:
            self._losses.downgrade("hosted_tool_history")
            return None
        reader = _READERS.get(kind)
        if reader is None:
            raise unsupported(
                f"Input items of type '{kind}' are not supported for this model.",
                param=f"{path}.type",
            )
        return reader(self, item, path)

    def message(self, item: JSON, path: str) -> Move:
        """Read a message of anybody."""
        role = item.get("role")
        if role == "assistant":
            return _spoken(item, path)
        if role not in _SPEAKERS:
            raise wrong(f"{path}.role", "expected user, assistant, system or developer")
        content = content_of(item.get("content"), f"{path}.content")
        return Said({"role": role, "content": content}, path)

    def reasoning(self, item: JSON, path: str) -> Move | None:
        """Read what was thought; what others sealed is left out."""
        blob = item.get("encrypted_content")
        if blob is None:
            return _told(item.get("content"))
        self._blobs += 1
        block = reasoning.unpacked(blob) if self._blobs <= reasoning.MOST else None
        if block is None:
            self._losses.downgrade("reasoning")
            return None
        return Thought(block)

    def function_call(self, item: JSON, path: str) -> Move:
        """Read a call of a function."""
        name = flattened(_text(item.get("namespace")), _named(item, path))
        arguments = item.get("arguments")
        if not isinstance(arguments, str) and arguments is not None:
            arguments = jsontext.dumps(arguments)
        return _called(item, path, name, arguments or "{}")

    def custom_call(self, item: JSON, path: str) -> Move:
        """Read a call of a custom tool."""
        name = flattened(_text(item.get("namespace")), _named(item, path))
        return _called(item, path, name, custom_arguments(_text(item.get("input"))))

    def search_call(self, item: JSON, path: str) -> Move | None:
        """Read a search for tools; one that OpenAI made is nobody's business."""
        if item.get("execution") != "client":
            return None
        arguments = item.get("arguments")
        if not isinstance(arguments, str):
            arguments = jsontext.dumps({} if arguments is None else arguments)
        return _called(item, path, "tool_search", arguments)

    def search_output(self, item: JSON, path: str) -> Move | None:
        """Read tools that were found, which join the offer."""
        tools = item.get("tools") or []
        self._offer.add_all(tools, f"{path}.tools", joined=True)
        if item.get("execution") != "client":
            return None
        loaded = jsontext.dumps({"loaded": names_of(tools)})
        return _answered(item, path, loaded)

    def output(self, item: JSON, path: str) -> Move:
        """Read what a tool answered."""
        return _answered(item, path, output_of(item.get("output"), f"{path}.output"))

    def patch_output(self, item: JSON, path: str) -> Move:
        """Read how a patch went."""
        told = {name: item[name] for name in ("status", "output") if name in item}
        return _answered(item, path, jsontext.dumps(told))

    def additional_tools(self, item: JSON, path: str) -> None:
        """Read tools that join the offer."""
        self._offer.add_all(item.get("tools") or [], f"{path}.tools", joined=True)

    def configuration_update(self, item: JSON, path: str) -> None:
        """Read settings that hold from here on, and so for the answer."""
        for name in ("reasoning", "text"):
            if isinstance(changed := item.get(name), dict):
                self.settings[name] = {**self.settings.get(name, {}), **changed}

    def compaction(self, item: JSON, path: str) -> Move:
        """Read a summary; raises a 400 for one that only who made it can read."""
        text = reasoning.summary_in(item.get("encrypted_content"))
        if text is not None:
            return Said({"role": "user", "content": text}, path)
        raise invalid_request(
            "This compaction item was made by another provider and cannot be read "
            "here.",
            param=f"{path}.encrypted_content",
            code="invalid_value",
        )

    def compaction_trigger(self, item: JSON, path: str) -> Move:
        """Refuse to compact in passing."""
        raise unsupported("Call /v1/responses/compact instead.", param=f"{path}.type")

    def reference(self, item: JSON, path: str) -> Move | None:
        """Look for an item that is named only.

        Nothing is kept here: reasoning can be done without, anything else is missed.
        """
        named = item.get("id")
        if not isinstance(named, str):
            raise wrong(f"{path}.type", "expected the type of an item")
        if named.startswith("rs_"):
            self._losses.downgrade("reasoning")
            return None
        raise _not_found(named)


def _action(name: str, field: str, *, is_local: bool = False) -> "_Reader":
    """Return a reader of calls whose arguments stand in one field."""

    def read(items: Items, item: JSON, path: str) -> Move:
        value = item.get(field)
        arguments = value if isinstance(value, dict) else {}
        if field == "operation":
            arguments = {field: arguments}
        return _called(item, path, name, jsontext.dumps(arguments), is_local=is_local)

    return read


def _local_output(items: Items, item: JSON, path: str) -> Move:
    named = item.get("call_id") or item.get("id")
    content = output_of(item.get("output"), f"{path}.output")
    return _answered({"call_id": named}, path, content, is_local=True)


_Reader = Callable[[Items, JSON, str], Move | None]

_READERS: dict[str, _Reader] = {
    "message": Items.message,
    "reasoning": Items.reasoning,
    "function_call": Items.function_call,
    "function_call_output": Items.output,
    "custom_tool_call": Items.custom_call,
    "custom_tool_call_output": Items.output,
    "tool_search_call": Items.search_call,
    "tool_search_output": Items.search_output,
    "local_shell_call": _action("local_shell", "action", is_local=True),
    "local_shell_call_output": _local_output,
    "shell_call": _action("shell", "action"),
    "shell_call_output": Items.output,
    "apply_patch_call": _action("apply_patch", "operation"),
    "apply_patch_call_output": Items.patch_output,
    "additional_tools": Items.additional_tools,
    "configuration_update": Items.configuration_update,
    "compaction": Items.compaction,
    "compaction_trigger": Items.compaction_trigger,
    "item_reference": Items.reference,
}


def _spoken(item: JSON, path: str) -> Spoken:
    content = content_of(item.get("content"), f"{path}.content")
    if isinstance(content, str):
        return Spoken([{"type": "text", "text": content}], f"{path}.content", False)
    return Spoken(content, f"{path}.content", True)


def _told(content: Any) -> Thought | None:
    """Return reasoning that stands in the open, as some servers give it."""
    if not isinstance(content, list):
        return None
    texts = [_text(part.get("text")) for part in content if isinstance(part, dict)]
    text = "".join(texts)
    return Thought({"type": "text", "text": text}) if text else None


def _called(
    item: JSON, path: str, name: str, arguments: str, *, is_local: bool = False
) -> Called:
    call_id = item.get("call_id") or (item.get("id") if is_local else None)
    if not isinstance(call_id, str) or not call_id:
        raise _missing(f"{path}.call_id")
    function = {"name": name, "arguments": arguments}
    call = {"id": call_id, "type": "function", "function": function}
    return Called(call, path, _text(item.get("id")), is_local)


def _answered(
    item: JSON, path: str, content: str | list[JSON], *, is_local: bool = False
) -> Answered:
    call_id = item.get("call_id")
    if not isinstance(call_id, str) or not call_id:
        raise _missing(f"{path}.call_id")
    message = {"role": "tool", "tool_call_id": call_id, "content": content}
    return Answered(message, call_id, path, is_local)


def _named(item: JSON, path: str) -> str:
    name = item.get("name")
    if not isinstance(name, str) or not name:
        raise _missing(f"{path}.name")
    return name


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _missing(path: str) -> GatewayError:
    return invalid_request(
        f"Missing required parameter: '{path}'.", param=path, code="missing_field"
    )


def _not_found(named: str) -> GatewayError:
    return GatewayError(
        404,
        "invalid_request_error",
        f"Item with id '{named}' not found. Send the item itself instead of a "
        "reference; in the AI SDK set providerOptions.openai.store to false.",
        param="input",
    )

"""The choice that a request makes among its tools, and what it leaves on offer."""

from typing import Any, Literal, NamedTuple

from gateway.errors import invalid_request
from gateway.hub.protocol import JSON
from gateway.hub.requests.tools.offered import Tool, repeated_tools

Mode = Literal["", "auto", "none", "required", "named"]


class ToolChoice(NamedTuple):
    """What the request says about calling tools.

    `mode` is empty where it says nothing; `name` goes with "named". `allowed` are the
    names that may be called, or None for all.
    """

    mode: Mode = ""
    name: str = ""
    allowed: frozenset[str] | None = None
    param: str = "tool_choice"


_NO_CHOICE = ToolChoice()


class Offer(NamedTuple):
    """The tools to send, and what is still to be said about them.

    `text` is what the tools are known by, where they are all that the request holds.
    """

    tools: list[Tool]
    choice: ToolChoice
    text: bytes = b""


def offer_of(body: JSON, *, says_none: bool = True, says_named: bool = True) -> Offer:
    """Return what a valid request offers and chooses.

    An upstream that has no word for "none" or for one tool by name is told by what it
    is offered: nothing, or that tool alone. Raises a 400 for what is no tool or choice.
    """
    if "tools" not in body and "functions" not in body:
        return Offer([], _NO_CHOICE)
    tools, text = repeated_tools(body)
    choice = tool_choice_of(body, tools)
    if choice.mode == "none" and not says_none:
        return Offer([], choice)
    if choice.mode == "named" and not says_named:
        return Offer([tool for tool in tools if tool.name == choice.name], choice)
    if choice.allowed is not None:
        return Offer(allowed_tools(tools, choice), choice)
    return Offer(tools, choice, text)


def tool_choice_of(body: JSON, tools: list[Tool]) -> ToolChoice:
    """Return the `tool_choice` (or `function_call`) of a valid request.

    Raises a 400 for a shape that is none and for a name that no tool has.
    """
    if "functions" in body:
        return _checked_choice(_legacy_choice(body.get("function_call")), tools)
    return _checked_choice(_parse_choice(body.get("tool_choice")), tools)


def is_parallel(body: JSON) -> bool:
    """Tell whether several calls at once are allowed; never with `functions`."""
    return body.get("parallel_tool_calls") is not False and "functions" not in body


def _parse_choice(choice: Any) -> ToolChoice:
    match choice:
        case None:
            return ToolChoice()
        case "auto" | "none" | "required":
            return ToolChoice(choice)
        case {"type": "function", "function": {"name": str(name)}}:
            return ToolChoice("named", name)
        case {"type": "allowed_tools", "allowed_tools": dict(allowed)}:
            return _allowed_choice(allowed)
        case {"type": "allowed_tools", "tools": list()}:
            return _allowed_choice(choice)
        case _:
            raise invalid_request(
                "Invalid value for 'tool_choice': expected 'none', 'auto', 'required', "
                "a function or allowed_tools.",
                param="tool_choice",
                code="invalid_value",
            )


def _allowed_choice(allowed: JSON) -> ToolChoice:
    mode, listed = allowed.get("mode", "auto"), allowed.get("tools")
    listed = listed if isinstance(listed, list) else []
    names = frozenset(_allowed_name(tool, at) for at, tool in enumerate(listed))
    if mode not in ("auto", "required") or not names:
        raise invalid_request(
            "Invalid value for 'tool_choice.allowed_tools': expected a mode of 'auto' "
            "or 'required' and at least one tool.",
            param="tool_choice.allowed_tools",
            code="invalid_value",
        )
    return ToolChoice(mode, allowed=names)


def _allowed_name(tool: Any, position: int) -> str:
    match tool:
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return name
    param = f"tool_choice.allowed_tools.tools[{position}]"
    raise invalid_request(
        f"Invalid value for '{param}': expected a function with a name.",
        param=param,
        code="invalid_value",
    )


def _legacy_choice(choice: Any) -> ToolChoice:
    match choice:
        case None:
            return ToolChoice(param="function_call")
        case "auto" | "none":
            return ToolChoice(choice, param="function_call")
        case {"name": str(name)}:
            return ToolChoice("named", name, param="function_call")
        case _:
            raise invalid_request(
                "Invalid value for 'function_call': expected 'none', 'auto' or an "
                "object with the function's name.",
                param="function_call",
                code="invalid_value",
            )


def _checked_choice(choice: ToolChoice, tools: list[Tool]) -> ToolChoice:
    wanted = choice.allowed or ({choice.name} if choice.mode == "named" else set())
    missing = sorted(wanted - {tool.name for tool in tools}) if wanted else ()
    if missing:
        raise invalid_request(
            f"Invalid value for '{choice.param}': no tool is named '{missing[0]}'.",
            param=choice.param,
            code="invalid_value",
        )
    return choice


def allowed_tools(tools: list[Tool], choice: ToolChoice) -> list[Tool]:
    """Return the tools that `choice` leaves, in their order."""
    if choice.allowed is None:
        return tools
    return [tool for tool in tools if tool.name in choice.allowed]

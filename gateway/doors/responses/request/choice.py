"""The choice among tools, as the hub has it.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-tool_choice
"""

from typing import Any

from gateway.doors.responses.request.content import wrong
from gateway.doors.responses.request.emulated import BY_TYPE
from gateway.doors.responses.request.offer import Offer, flattened, hosted
from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import JSON

PARAM = "tool_choice"


def choice_of(choice: Any, offer: Offer) -> Any:
    """Return the hub's choice, None for none; raises a 400 for one that is none."""
    match choice:
        case None:
            return None
        case "auto" | "none":
            # Servers refuse a choice among nothing.
            return choice if offer.functions else None
        case "required":
            return choice
        case {"type": "allowed_tools"}:
            return _allowed(choice, offer)
        case {"type": str(kind)} if kind.startswith("web_search"):
            if offer.search is None:
                raise hosted(kind, PARAM)
            return "auto" if offer.functions else None
    name = _chosen(choice, PARAM)
    if name is None:
        raise _unknown(choice)
    if name not in offer.kinds:
        raise invalid_request(
            f"Invalid value for '{PARAM}': no tool is named '{name}'.",
            param=PARAM,
            code="invalid_value",
        )
    return {"type": "function", "function": {"name": name}}


def _chosen(choice: Any, path: str) -> str | None:
    """Return the hub's name of a chosen tool, None for what chooses none.

    Raises a 400 for a namespace that is no text, by which another would be chosen.
    """
    match choice:
        case {"type": "function", "function": {"name": str(name)}}:
            return name
        case {"type": "function" | "custom", "name": str(name)}:
            space = choice.get("namespace") or ""
            if not isinstance(space, str):
                raise wrong(f"{path}.namespace", "expected a string")
            return flattened(space, name)
        case {"type": str(kind)} if kind in BY_TYPE:
            return BY_TYPE[kind].name
        case {"type": "tool_search"}:
            return "tool_search"
        case _:
            return None


def _unknown(choice: Any) -> GatewayError:
    if isinstance(choice, dict) and isinstance(kind := choice.get("type"), str):
        return hosted(kind, PARAM)
    return invalid_request(
        f"Invalid value for '{PARAM}': expected 'none', 'auto', 'required', a tool or "
        "allowed_tools.",
        param=PARAM,
        code="invalid_value",
    )


def _allowed(choice: JSON, offer: Offer) -> JSON:
    """Return the hub's allowed tools: what is left of those that are offered."""
    listed = choice.get("tools")
    chosen = [
        _chosen(each, f"{PARAM}.tools[{at}]")
        for at, each in enumerate(listed if isinstance(listed, list) else ())
    ]
    names = [name for name in chosen if name in offer.kinds]
    if not names:
        raise invalid_request(
            f"Invalid value for '{PARAM}': none of its tools is offered.",
            param=PARAM,
            code="invalid_value",
        )
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    allowed = {"mode": choice.get("mode", "auto"), "tools": tools}
    return {"type": "allowed_tools", "allowed_tools": allowed}

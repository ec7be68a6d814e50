"""A request of OpenAI's Responses API, as one of chat completions: the hub's."""

from collections.abc import Callable
from typing import Any

from gateway.doors.responses.request.choice import choice_of
from gateway.doors.responses.request.content import wrong
from gateway.doors.responses.request.fields import (
    object_in,
    refuse_kept,
    settings_of,
    wants_summary,
)
from gateway.doors.responses.request.items import Items
from gateway.doors.responses.request.offer import Kinds, Offer, Offered
from gateway.doors.responses.request.paths import Paths
from gateway.doors.responses.request.plain import plain_hub
from gateway.doors.responses.request.turns import Turns
from gateway.hub.protocol import JSON, NOTHING, Route
from gateway.hub.requests.losses import Losses
from gateway.values import Value

__all__ = ["HubForm", "Kinds", "Offered", "hub_form"]

MOST_ITEMS = 10_000


class HubForm(Value, frozen=True):
    """A request in the hub's form, and what leads back from it.

    `kinds` says what the hub's functions are to the client, `client_path` where its
    fields came from; `dropped` and `downgraded` are what this door could not say.
    `shows_thinking` tells that a summary of the reasoning is wanted.
    """

    body: JSON
    client_path: Callable[[str], str]
    kinds: Kinds = NOTHING
    dropped: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()
    shows_thinking: bool = False


def hub_form(body: JSON, route: Route) -> HubForm:
    """Return the hub's form of a request; raises a 400 for what it cannot express."""
    hub = plain_hub(body)
    if hub is None:
        return read_form(body, route)
    # Asked for where something is refused: the way back is found then.
    return HubForm(hub, lambda path: read_form(body, route).client_path(path))


def read_form(body: JSON, route: Route) -> HubForm:
    """Return the hub's form of any request; raises as `hub_form`."""
    # First: what is left out because OpenAI keeps it would be missed below.
    refuse_kept(body)
    losses, paths = Losses(route), Paths()
    searches = bool(route.options.get("server_web_search"))
    offer = Offer(paths, losses, searches=searches)
    offer.add_all(body.get("tools") or [], "tools")
    items = Items(offer, losses)
    messages = _messages(body, items, paths)
    body = _updated(body, items.settings)
    settings = settings_of(body, losses)
    hub = {"model": body.get("model"), "messages": messages, **settings}
    _add_tools(hub, body, offer, losses)
    return HubForm(
        hub,
        paths.client,
        offer.kinds,
        losses.dropped,
        losses.downgraded,
        wants_summary(body),
    )


def _messages(body: JSON, items: Items, paths: Paths) -> list[JSON]:
    first, given = _instructions(body.get("instructions"), items), body["input"]
    for at, _ in enumerate(first):
        paths.add(f"messages[{at}]", "instructions")
        paths.add(f"messages[{at}].content", "instructions")
    if isinstance(given, str):
        paths.add(f"messages[{len(first)}]", "input")
        paths.add(f"messages[{len(first)}].content", "input")
        return [*first, {"role": "user", "content": given}]
    if len(given) > MOST_ITEMS:
        raise wrong("input", f"more than {MOST_ITEMS} items")
    turns = Turns()
    for at, item in enumerate(given):
        move = items.read(item, f"input[{at}]")
        if move is not None:
            turns.add(move)
    return turns.messages(paths, first)


def _instructions(instructions: Any, items: Items) -> list[JSON]:
    """Return what stands before the conversation."""
    if not instructions:
        return []
    if isinstance(instructions, str):
        return [{"role": "system", "content": instructions}]
    if not isinstance(instructions, list):
        raise wrong("instructions", "expected a string or an array of messages")
    turns = Turns()
    for at, item in enumerate(instructions):
        move = items.read(item, f"instructions[{at}]")
        if move is not None:
            turns.add(move)
    return turns.messages(Paths(), [])


def _updated(body: JSON, settings: JSON) -> JSON:
    """Return a request with the settings that its last update left."""
    if not settings:
        return body
    changed = {name: {**object_in(body, name), **settings[name]} for name in settings}
    return {**body, **changed}


def _add_tools(hub: JSON, body: JSON, offer: Offer, losses: Losses) -> None:
    if offer.search is not None:
        hub["web_search_options"] = offer.search
    if body.get("max_tool_calls") is not None and offer.has_hosted:
        losses.drop("max_tool_calls")
    if (choice := choice_of(body.get("tool_choice"), offer)) is not None:
        hub["tool_choice"] = choice
    if offer.functions:
        hub["tools"] = offer.functions
        if (parallel := body.get("parallel_tool_calls")) is not None:
            hub["parallel_tool_calls"] = parallel

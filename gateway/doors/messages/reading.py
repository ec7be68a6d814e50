"""One request as it is read: what it is to the hub, and what its answer must know."""

from typing import Any

from gateway.doors.fields import is_openais_own
from gateway.doors.messages.answer import Wanted
from gateway.doors.messages.estimate import estimated
from gateway.doors.messages.request import to_hub
from gateway.doors.messages.request.learnt import leave_out, taught
from gateway.doors.messages.request.plain import plain_hub
from gateway.doors.messages.request.profile import profile_of
from gateway.doors.protocol import HubRequest
from gateway.hub.protocol import NOTHING, Route
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.tools.ids import ToolNames
from gateway.values import Value
from gateway.wire.jsontext import JSON

_SHAPING = frozenset({"thinking", "tool_choice", "tools"})
"""What of a request its answer depends on."""


class Reading:
    """A request that may be put into the hub's words, for one route after another.

    It is asked for them twice a route: before images are fetched, and after. A coding
    agent's request costs half a millisecond.
    """

    def __init__(self, body: JSON, session: str) -> None:
        self._body = body
        self._session = session
        self._route: Route | None = None
        self._hub: HubRequest | None = None

    def hub(self, route: Route) -> HubRequest:
        """Return the request in the hub's format; raises a 400."""
        if self._hub is None or self._route is not route:
            self._hub, self._route = self._read(route), route
        return self._hub

    def _read(self, route: Route) -> HubRequest:
        hub = plain_hub(self._body, route)
        # A session is told OpenAI itself alone.
        if hub is None or (self._session and is_openais_own(route)):
            return self.by_parts(route)
        return HubRequest(
            hub,
            client_path=_WayBack(self, route),
            tells_stop=True,
            blocks=True,
        )

    def by_parts(self, route: Route) -> HubRequest:
        """Return any request in the hub's format; raises a 400."""
        losses = Losses(route)
        profile = taught(profile_of(route), route.avoid)
        form = to_hub(self._body, profile, losses, self._session)
        leave_out(form.body, route.avoid, losses)
        return HubRequest(
            form.body,
            losses.dropped,
            losses.downgraded,
            form.stops,
            form.client_path,
            tells_stop=True,
            blocks=True,
        )

    def wanted(self, model: str, *, is_counted: bool = False) -> Wanted:
        """Return what the answer must know; `model` is the name that it goes by.

        Where it `is_counted`, no tokens are estimated. Where a stream begins early
        nobody has looked at the body yet.
        """
        body = self._body
        tokens = 0 if is_counted else estimated(body)
        if _SHAPING.isdisjoint(body):
            return Wanted(model, NOTHING, input_tokens=tokens)
        names = ToolNames()
        tools = body["tools"] if isinstance(body.get("tools"), list) else []
        for tool in tools:
            if isinstance(name := _told(tool, "name"), str):
                names.upstream(name)
        is_silent = _told(body.get("thinking"), "type") == "disabled"
        return Wanted(
            model,
            names.originals,
            is_single=bool(_told(body.get("tool_choice"), "disable_parallel_tool_use")),
            hides_thinking=is_silent and not tools,
            input_tokens=tokens,
        )


class _WayBack(Value, frozen=True):
    """Leads from a plain request's fields to the client's, once somebody asks."""

    reading: Reading
    route: Route

    def __call__(self, path: str) -> str:
        """Return the client's path for one of the hub's."""
        known = self.reading.by_parts(self.route).client_path
        return path if known is None else known(path)


def _told(value: Any, field: str) -> Any:
    """Return what an object says under `field`, None for what is no object."""
    return value.get(field) if isinstance(value, dict) else None

"""What the door read of one request, and finds again when the answer comes."""

from gateway.doors.protocol import Sent
from gateway.doors.responses.native.ours import may_hold_ours
from gateway.doors.responses.request import HubForm, Kinds, hub_form
from gateway.hub.protocol import JSON, Route
from gateway.values import Record

_NOWHERE = Route("", "")


class Reading(Record):
    """One request, read for the target that it is sent to.

    `route` is that of the last target, which is the one that answers. The answer says
    whether it `is_kept` for requests that name its items.
    """

    body: JSON
    _sent: Sent
    route: Route = _NOWHERE
    is_kept: bool = False
    _form: HubForm | None = None
    _is_codex: bool | None = None
    _may_hold_ours: bool | None = None

    def form(self, route: Route) -> HubForm:
        """Return the hub's form for a target; raises a 400 where it has none."""
        if self._form is None or route.options is not self.route.options:
            self._form = hub_form(self.body, route)
        self.route = route
        return self._form

    @property
    def kinds(self) -> Kinds:
        """What the hub's functions are to the client."""
        return self._form.kinds if self._form else {}

    @property
    def may_hold_ours(self) -> bool:
        """Whether anything in it may be this gateway's; asked for its bytes as sent."""
        if self._may_hold_ours is None:
            self._may_hold_ours = may_hold_ours(self.body, self._sent.raw)
        return self._may_hold_ours

    @property
    def is_codex(self) -> bool:
        """Whether Codex asks, which some answers must suit."""
        if self._is_codex is None:
            self._is_codex = is_codex(self._sent)
        return self._is_codex


def is_codex(sent: Sent) -> bool:
    """Tell whether a request is Codex's, by how it calls itself."""
    for name in ("originator", "user-agent"):
        if name in sent.headers and sent.header(name).lower().startswith("codex"):
            return True
    return False

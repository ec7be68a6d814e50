"""Where an attempt goes, and what is told of it: to the ledger and to the client."""

import re
import time

from gateway.calls.attempts import avoidance
from gateway.calls.attempts.rounds import Rounds
from gateway.doors.protocol import Asked
from gateway.hub.protocol import Route, UpstreamRequest
from gateway.worker.call_settings import call_settings
from gateway.worker.snapshot import Target

MAX_TOLD = 50

_NO_TOKEN = re.compile(r"[^A-Za-z0-9_.\[\]-]")


def route_to(target: Target, asked: Asked, call_id: str = "") -> Route:
    """Return where a request goes, and what decides on its form there.

    An answer to which the upstream gives no id is known by that of the call.
    """
    row = target.provider.row
    # In the order of its fields: naming them costs each call 1 µs.
    return Route(
        asked.model,
        target.upstream_id,
        target.base_model,
        row.region,
        f"chatcmpl-{call_id}",
        int(time.time()),
        row.options,
        target.capabilities,
        avoidance.known(target, asked),
        call_settings.UPSTREAM_BODY_LIMIT,
        row.provider_type,
        target.provider.host,
    )


def told_of(target: Target, rendered: UpstreamRequest) -> dict[str, str]:
    """Return the headers that say who answered and what was not carried over."""
    headers = {"x-gateway-provider": target.provider.name}
    if not (rendered.dropped or rendered.downgraded):
        return headers
    for header, names in (
        ("x-gateway-dropped-params", rendered.dropped),
        ("x-gateway-downgraded", rendered.downgraded),
    ):
        if names:
            # Names are the client's own: whatever is no token stays out of a header.
            tokens = [_NO_TOKEN.sub("_", name)[:64] for name in names[:MAX_TOLD]]
            headers[header] = ", ".join(tokens)
    return headers


def book(rounds: Rounds, routed_ms: int) -> None:
    """Tell the ledger's entry what is about to be sent."""
    target, rendered, call = rounds.target, rounds.rendered, rounds.call
    fields = call.entry.fields
    call.asked = target.provider.name
    fields.update(target.columns)
    # One by one: named in one call they are made a dict of, which costs 1 µs.
    fields["stream"] = rendered.reply.stream
    fields["dropped"] = rendered.dropped
    fields["downgraded"] = rendered.downgraded
    fields["routed_ms"] = routed_ms
    fields["upstream_ms"] = call.entry.elapsed_ms()
    if call.tells_way:
        fields["details"] = {"way": "native" if rendered.raw else "translated"}
    if call.why:
        fields.setdefault("details", {})["why"] = call.why

"""`Via`: who handed a request on, and how a gateway notices that it came back.

https://www.rfc-editor.org/rfc/rfc9110#name-via
"""

import re
from collections.abc import Sequence

from gateway.errors import GatewayError

MAX_HOPS = 8

# Gateways of this kind only: what else a client says of its way is not handed on.
_GATEWAY = re.compile(r"1\.1 gw-[0-9a-f]{12}")


def forwarded(via: Sequence[str], own: str) -> str:
    """Return the `Via` to send upstream: the gateways in `via`, and `own` at the end.

    `own` is this installation's entry. Raises GatewayError, a 508, when it stands in
    `via` already or when there were too many before.
    """
    hops = _GATEWAY.findall(",".join(via))
    if own in hops or len(hops) >= MAX_HOPS:
        raise GatewayError(
            508,
            "server_error",
            "The request came back to a gateway that it had passed: a provider's "
            "endpoint leads to this gateway. Point it at the model's own API.",
            code="loop_detected",
            headers={"x-should-retry": "false"},
        )
    return ", ".join([*hops, own])

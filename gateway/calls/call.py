"""One client request on its way upstream."""

from collections.abc import Mapping

from gateway.hub.protocol import NOTHING
from gateway.ledger.spool import Entry
from gateway.limits import Limiter
from gateway.values import Record
from gateway.worker.capacity import Held
from gateway.worker.snapshot import Caller


class Call(Record):
    """What a request brings along, whatever its format and whoever serves it.

    `headers` go upstream as they are, `via` is this installation's entry there. `held`
    is what it takes of the worker (gateway/worker/capacity.py). Without a
    `limiter` requests per minute are not enforced. `is_billed` tells that a part of the
    answer has come: nobody else is asked then. With `keeps_bodies` what the
    target of now is sent and answers is kept. With `tells_way` the ledger is told
    whether the request was passed on as it came. `asked` is the name of the provider
    that was asked last, `passed_over` are those before, `why` tells what made it that
    one, `is_last` that nobody else is asked after it. It was `asked_again` so often,
    and for `waited` seconds, because it was busy.
    """

    caller: Caller
    entry: Entry
    held: Held
    via: str = ""
    headers: Mapping[str, str] = NOTHING
    limiter: Limiter | None = None
    is_billed: bool = False
    keeps_bodies: bool = False
    tells_way: bool = False
    asked: str = ""
    is_last: bool = True
    why: str = ""
    passed_over: tuple[str, ...] = ()
    asked_again: int = 0
    waited: float = 0.0

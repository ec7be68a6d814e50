"""From a model's name to the providers that serve it, in the order to try them."""

import difflib
from datetime import datetime
from itertools import chain

from gateway.errors import GatewayError
from gateway.worker.snapshot import Caller, Snapshot, Target

LONG = "[1m]"
"""What coding agents put behind a name to ask for the longer context; no part of it."""


def find(
    snapshot: Snapshot, model: str, caller: Caller, provider: str = ""
) -> tuple[Target, ...]:
    """Return the targets for `model`, best first; `provider` pins one.

    ``provider-name/model-id`` pins as well. Raises GatewayError: 404 when nobody serves
    the model, 403 when somebody does but not for this caller.
    """
    targets = _serving(snapshot, model, provider)
    if not targets:
        raise _unknown(snapshot, model, caller, provider)
    allowed = tuple(t for t in targets if caller.may_use(t.provider.name, t.model_id))
    if not allowed:
        raise GatewayError(
            403,
            "permission_error",
            f'{caller.name} may not use the model "{model}". '
            "Wire the agent to it, or use a key that reaches it.",
            code="model_not_allowed",
            param="model",
        )
    return allowed


def visible(
    snapshot: Snapshot, caller: Caller, provider: str = ""
) -> list[tuple[str, Target]]:
    """Return every model id the caller may use with its first target, by name.

    `provider` leaves those of one.
    """
    found = []
    for model, targets in sorted(snapshot.targets.items()):
        for target in targets:
            name = target.provider.name
            if provider in ("", name) and caller.may_use(name, model):
                found.append((model, target))
                break
    return found


def within_reach(
    snapshot: Snapshot, caller: Caller, provider: str = ""
) -> list[Target]:
    """Return a target of each provider of which the caller may use a model.

    The best stand first; `provider` leaves one.
    """
    found: dict[str, Target] = {}
    for target in chain.from_iterable(snapshot.targets.values()):
        name = target.provider.name
        if provider in ("", name) and caller.may_use(name, target.model_id):
            found.setdefault(name, target)
    return sorted(found.values(), key=_rank)


def _rank(target: Target) -> tuple[int, datetime]:
    row = target.provider.row
    return row.priority, row.created_at


def _serving(snapshot: Snapshot, model: str, provider: str) -> tuple[Target, ...]:
    found = _named(snapshot, model, provider)
    if not found and model.endswith(LONG):
        return _named(snapshot, model.removesuffix(LONG), provider)
    return found


def _named(snapshot: Snapshot, model: str, provider: str) -> tuple[Target, ...]:
    if provider:
        pinned = snapshot.pinned.get(f"{provider}/{model}") or snapshot.pinned.get(
            model
        )
        if pinned is None or pinned.provider.name != provider:
            return ()
        return (pinned,)
    exact = snapshot.targets.get(model, ())
    if exact or "/" not in model:
        return exact
    pinned = snapshot.pinned.get(model)
    return (pinned,) if pinned else ()


def _unknown(
    snapshot: Snapshot, model: str, caller: Caller, provider: str
) -> GatewayError:
    names = [name for name, _ in visible(snapshot, caller)]
    near = difflib.get_close_matches(model[:200], names, n=3, cutoff=0.6)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    where = f' on "{provider}"' if provider else ""
    return GatewayError(
        404,
        "not_found_error",
        f'no provider found for model "{model[:200]}"{where}.{hint}',
        code="model_not_found",
        param="model",
    )

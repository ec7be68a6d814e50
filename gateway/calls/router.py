"""From a model's name to the providers that serve it, in the order to try them.

That is by priority, then by age. Providers of the same priority of which one has a
weight share the calls: each conversation stays with one, so that the provider's cache
of its prompt lives, and conversations are spread by weight.
"""

import difflib
import math
from datetime import datetime
from hashlib import blake2b
from itertools import chain, groupby

from gateway.doors.protocol import Asked
from gateway.errors import GatewayError, upstream_error
from gateway.wire.jsontext import JSON, encode
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
    targets = () if provider else snapshot.targets.get(model, ())
    targets = targets or _serving(snapshot, model, provider)
    if not targets:
        raise _unknown(snapshot, model, caller, provider)
    allowed = targets
    if not (caller.wires is None and caller.models is None):
        may_use = caller.may_use
        allowed = tuple([t for t in targets if may_use(t.provider.name, t.model_id)])
    if not allowed:
        raise GatewayError(
            403,
            "permission_error",
            f'{caller.name} may not use the model "{model}". '
            "Wire the agent to it, or use a key that reaches it.",
            code="model_not_allowed",
            param="model",
        )
    for target in allowed:
        if target.provider.weight == 0:
            return _willing(allowed, model, provider)
    return allowed


def spread(targets: tuple[Target, ...], key: bytes) -> tuple[Target, ...]:
    """Return `targets` in the order to try them for the conversation of this `key`.

    By weighted rendezvous hashing: nothing is remembered, every worker and host comes
    to the same order, and a provider that comes or goes moves its own share alone.
    https://www.rfc-editor.org/rfc/rfc2992 weighs the alternatives.
    """
    ordered: list[Target] = []
    for _, same in groupby(targets, lambda target: target.provider.row.priority):
        group = list(same)
        if len(group) > 1 and any(t.provider.weight is not None for t in group):
            group.sort(key=lambda target: _score(target, key))
        ordered += group
    return tuple(ordered)


def _score(target: Target, key: bytes) -> float:
    """Return an exponential variate at the rate of the target's weight, by `key`.

    The least of several is each one's with a probability in proportion to its weight.
    """
    digest = blake2b(key, digest_size=8, key=target.provider.uid.encode()).digest()
    weight = weight_of(target)
    return -math.log((int.from_bytes(digest) + 1) / (1 << 64)) / weight


def weight_of(target: Target) -> int:
    """Return a target's weight; 1 where none was set."""
    weight = target.provider.weight
    return 1 if weight is None else weight


def conversation(asked: Asked, session: str, caller: str) -> tuple[bytes, str]:
    """Return what all calls of a conversation have in common, and what that is.

    Without a name for it that is how it begins. What a provider keeps of it is found
    only there, and later calls do not repeat the beginning: then it is who calls.
    """
    body = asked.body
    if session:
        return session.encode(), "session"
    cache_key = body.get("prompt_cache_key")
    if cache_key and isinstance(cache_key, str):
        return cache_key.encode(), "cache key"
    if asked.stays or ("input" in body and body.get("store") is not False):
        return caller.encode(), "caller"
    return _beginning(body), "conversation"


def _beginning(body: JSON) -> bytes:
    """Return a conversation up to its first question."""
    said = body.get("messages", body.get("input", body.get("prompt")))
    if isinstance(said, list):
        questions = (n for n, each in enumerate(said, 1) if _is_question(each))
        said = said[: next(questions, None)]
    return encode([body.get("system"), body.get("instructions"), said])


def _is_question(turn: object) -> bool:
    return isinstance(turn, dict) and turn.get("role") == "user"


def _willing(
    targets: tuple[Target, ...], model: str, provider: str
) -> tuple[Target, ...]:
    """Return the targets without those of weight 0; raises a 503 where none is left.

    One that is asked for by name is asked whatever its weight.
    """
    if provider or targets[0].model_id not in (model, model.removesuffix(LONG)):
        return targets
    willing = tuple(target for target in targets if target.provider.weight != 0)
    if willing:
        return willing
    names = " and ".join(target.provider.name for target in targets[:3])
    raise upstream_error(
        503,
        "provider_unavailable",
        f'Nobody is asked for "{model[:200]}" ({names}: weight 0). An '
        "administrator can give one a weight; by their names they can be asked.",
        {"retry-after": "60"},
    )


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


def nobody(provider: str) -> GatewayError:
    """Return the 404 for a provider's name that leads to no model of the caller's."""
    return GatewayError(
        404,
        "not_found_error",
        f'No provider "{provider[:200]}" is there for this key. '
        "GET /v1/models lists the models that it may use.",
        code="provider_not_found",
    )


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

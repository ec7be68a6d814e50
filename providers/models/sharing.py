"""Who is asked for a model that several providers serve, in words.

The gateway's rule (gateway/calls/router.py): none of weight 0; of the others those of
the lowest priority number, who share the calls where one of them has a weight, and
else the oldest.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.utils.translation import gettext as _

from providers.models.provider import ProviderModel


class Serving(NamedTuple):
    """An enabled provider of a model; the order is the gateway's."""

    priority: int
    pk: int
    name: str
    weight: int | None

    @property
    def share(self) -> int:
        """Its weight, as it counts beside others."""
        return 1 if self.weight is None else self.weight


class Told(NamedTuple):
    """What a chip says and what it means; empty where there is nothing to say.

    `others` are the names of those who serve the model as well.
    """

    label: str = ""
    meaning: str = ""
    is_asked: bool = True
    others: str = ""


def serving(model_ids: Collection[str]) -> dict[str, list[Serving]]:
    """Return who serves each model, the enabled providers in the gateway's order."""
    rows = ProviderModel.objects.filter(model_id__in=model_ids, provider__enabled=True)
    found: dict[str, list[Serving]] = {}
    columns = "priority", "pk", "name", "options__weight"
    names = (f"provider__{column}" for column in columns)
    for model_id, *values in rows.values_list("model_id", *names):
        found.setdefault(model_id, []).append(Serving(*values))
    return {model_id: sorted(each) for model_id, each in found.items()}


def told(all_serving: Iterable[Serving], name: str) -> Told:
    """Return what there is to say of a model at the provider `name`."""
    everybody = sorted(all_serving, key=lambda each: each[:2])
    willing = [each for each in everybody if each.weight != 0]
    if everybody and not willing:
        text = _("Nobody is asked for it: %s of weight 0. By name it can be called.")
        names = ", ".join(each.name for each in everybody)
        return Told(_("weight 0"), text % names, is_asked=False)
    others = ", ".join(each.name for each in everybody if each.name != name)
    if not others:
        return Told()
    return _among(willing, name)._replace(others=others)


def tell(
    models: Iterable[ProviderModel], name: str, all_serving: Mapping[str, list[Serving]]
) -> None:
    """Give each of the models of the provider `name` what its chip says: `shared`."""
    for model in models:
        found = told(all_serving.get(model.model_id, ()), name)
        model.shared = found  # type: ignore[attr-defined]


def _among(willing: list[Serving], name: str) -> Told:
    """Say who of several is asked."""
    first = [each for each in willing if each.priority == willing[0].priority]
    if len(first) > 1 and any(each.weight is not None for each in first):
        return _shared(first, name)
    winner = first[0].name
    text = _("%s wins (lowest priority number, then oldest).")
    if winner == name:
        return Told(_("shared, wins"), text % winner)
    return Told(_("shared → %s") % winner, text % winner)


def _shared(first: list[Serving], name: str) -> Told:
    parts = ", ".join(f"{each.name} {each.share}" for each in first)
    meaning = _("Calls are shared by weight: %s.") % parts
    own = next((each for each in first if each.name == name), None)
    if own is None:
        return Told(_("shared → %d others") % len(first), meaning)
    total = sum(each.share for each in first)
    label = _("shared, %(own)d of %(total)d") % {"own": own.share, "total": total}
    return Told(label, meaning)

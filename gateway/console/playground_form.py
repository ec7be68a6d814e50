"""What somebody enters in the Playground, and the requests that come of it."""

from typing import Any, NamedTuple, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from gateway.console.playground_call import PlaygroundAnswer
from gateway.wire.jsontext import JSON
from providers.choices import Choice, Offer, RegisteredField
from providers.models import ProviderModel
from providers.models.kinds import BEHIND, CHAT, kind_of

SIDES = ("first", "second")
"""The columns of a comparison, and the names of the fields that keep their answers."""


class Turn(NamedTuple):
    """What was said and what each side answered; empty where it did not."""

    said: str
    first: str = ""
    second: str = ""


class PlaygroundForm(forms.Form):
    """The models to ask and how; the conversation so far travels along."""

    model = RegisteredField(label=_("Model"))
    other_model = RegisteredField(required=False, label=_("Compare with"))
    system = forms.CharField(
        required=False,
        label=_("System prompt"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    temperature = forms.FloatField(
        required=False,
        min_value=0,
        max_value=2,
        label=_("Temperature"),
        widget=forms.NumberInput(attrs={"step": "0.1"}),
    )
    max_tokens = forms.IntegerField(required=False, min_value=1, label=_("Max tokens"))
    message = forms.CharField(
        label=_("Message"),
        widget=forms.Textarea(attrs={"rows": 2, "data-enter-sends": ""}),
        error_messages={"required": _("Write a message first.")},
    )

    def __init__(
        self, data: QueryDict | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.offered = served_models()
        self.has_models = bool(self.offered.values)
        first = next(iter(self.offered.values), "")
        self.initial["model"] = self.initial.get("model") or first
        cast(RegisteredField, self.fields["model"]).offer(self.offered)
        other = cast(RegisteredField, self.fields["other_model"])
        other.offer(self.offered, _("No other model"))
        self.turns = turns(data) if data is not None else []

    @classmethod
    def again(cls, data: QueryDict) -> "PlaygroundForm":
        """Return a form for the next message, with what was chosen for the last."""
        form = cls(
            initial={k: str(v) for k, v in data.dict().items() if k != "message"}
        )
        form.turns = turns(data)
        return form

    def models(self) -> list[str]:
        """Return the one or two models to ask."""
        asked = [self.cleaned_data["model"]]
        if other := self.cleaned_data.get("other_model"):
            asked.append(other)
        return asked

    def bodies(self) -> list[JSON]:
        """Return a chat request for each model."""
        return [
            self._body(model, side)
            for model, side in zip(self.models(), SIDES, strict=False)
        ]

    def _body(self, model: str, side: str) -> JSON:
        messages: list[JSON] = []
        if system := self.cleaned_data.get("system"):
            messages.append({"role": "system", "content": system})
        message, turns = self.cleaned_data.get("message"), self.turns
        if not message and turns:
            # Nothing new is asked: this is the last request once more.
            message, turns = turns[-1].said, turns[:-1]
        for turn in turns:
            # A turn that this side failed to answer would leave two users in a row.
            if answer := getattr(turn, side):
                messages.append({"role": "user", "content": turn.said})
                messages.append({"role": "assistant", "content": answer})
        if message:
            messages.append({"role": "user", "content": message})
        body: JSON = {"model": model, "messages": messages}
        for name in ("temperature", "max_tokens"):
            if (value := self.cleaned_data.get(name)) is not None:
                body[name] = value
        return body


def served_models() -> Offer:
    """Return the enabled providers with ``provider/model`` choices, best first.

    Only models that chat.

    And ids that several serve: whoever comes first answers those, as it does agents.
    """
    rows = (
        ProviderModel.objects.filter(provider__enabled=True)
        .order_by("provider__priority", "provider__name", "position", "pk")
        .values_list("provider__name", "model_id", *BEHIND)
    )
    groups: dict[str, list[Choice]] = {}
    served: dict[str, int] = {}
    for provider, model, *behind in rows:
        if kind_of(model, *behind) != CHAT:
            continue
        groups.setdefault(provider, []).append((f"{provider}/{model}", model))
        served[model] = served.get(model, 0) + 1
    shared: list[Choice] = [(model, model) for model, n in served.items() if n > 1]
    choices: list[Choice] = list(groups.items())
    if shared:
        choices.append((str(_("Any provider, by priority")), shared))
    return Offer(choices, "served-models")


def turns(data: QueryDict) -> list[Turn]:
    """Return the conversation that a page sent back."""
    columns = (data.getlist(name) for name in ("said", *SIDES))
    return [
        Turn(*(text.replace("\r\n", "\n") for text in turn))
        for turn in zip(*columns, strict=False)
    ]


def shown(turn: Turn) -> dict[str, Any]:
    """Return a past turn as the page shows it."""
    texts = turn[1:] if turn.second else turn[1:2]
    answers = [PlaygroundAnswer(model="", text=text) for text in texts]
    return {"said": turn.said, "answers": answers}

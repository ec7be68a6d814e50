"""The forms of the wizard: the source, the cards of the Wire step, the agent's name."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.choices import Choice, Offer, RegisteredField
from runagents.agents import registration
from runagents.agents.detection import SUFFIXES
from runagents.agents.detection.obstacles import Obstacle
from runagents.agents.detection.vendors import bare
from runagents.agents.forms import ROLE
from runagents.agents.models import Agent
from runagents.agents.names import check_agent_name
from runagents.agents.starter import hello_world
from runagents.agents.wizard import drafts, uploads
from runagents.agents.wizard.drafts import Need, Served
from runagents.agents.wizard.uploads import ARCHIVE, Source

# How many providers are offered to take a model that nobody serves.
MAX_HOMES = 3
PASTED = {"python": "agent.py", "typescript": "agent.ts"}
SAMPLE = PurePath(hello_world.__file__)
ACCEPTED = (*SUFFIXES, ARCHIVE, ".env", ".txt", ".toml", ".json", ".yaml", ".yml")


class FilesInput(forms.ClearableFileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True


class SourceForm(forms.Form):
    """An agent's source: files, a folder, pasted text or the sample.

    It is read and forgotten.
    """

    uploads = forms.Field(
        required=False,
        label=gettext_lazy("Drop the agent's files here, or choose them"),
        help_text=gettext_lazy(
            "Python, JavaScript, TypeScript, or a zip of them; .env, requirements.txt, "
            "pyproject.toml and package.json beside them tell more. 4 MiB together."
        ),
        widget=FilesInput(attrs={"accept": ",".join(ACCEPTED)}),
    )
    folder = forms.Field(
        required=False,
        label=gettext_lazy("Or choose its folder"),
        help_text=gettext_lazy(
            "What is no code, and what tools put there, is left aside."
        ),
        widget=FilesInput(
            attrs={"webkitdirectory": True, "data-folder": "id_paths"},
        ),
    )
    # Browsers send a file's name without its folder; the page's script adds it.
    paths = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    source = forms.CharField(
        required=False,
        label=gettext_lazy("Or paste its code"),
        widget=forms.Textarea(
            attrs={"rows": 8, "class": "mono", "spellcheck": "false"}
        ),
        strip=False,
    )
    language = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Language of the pasted code"),
        choices=[("python", "Python"), ("typescript", "TypeScript, JavaScript")],
    )
    sample = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """Read the files; something must be there."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("sample"):
            cleaned["read"] = Source({SAMPLE.name: _sample()}, 0)
            return cleaned
        pasted = {}
        if cleaned.get("source", "").strip():
            name = PASTED[cleaned.get("language") or "python"]
            pasted[name] = cleaned["source"].replace("\r\n", "\n")
        cleaned["read"] = uploads.collect(
            self.files.getlist("uploads"),
            self.files.getlist("folder"),
            cleaned.get("paths", "").splitlines(),
            pasted.items(),
        )
        if not cleaned["read"].texts:
            raise ValidationError(_nothing(cleaned["read"]))
        return cleaned

    def read(self) -> Source:
        """Return the texts to read."""
        read: Source = self.cleaned_data["read"]
        return read


def _nothing(read: Source) -> str:
    """Say that there is nothing to read."""
    if read.left_out:
        return _("None of these files is Python, JavaScript or TypeScript.")
    return _("Choose a file or paste some code.")


def _sample() -> str:
    """Return the source of the Hello World agent."""
    with open(SAMPLE) as file:
        return file.read()


class ModelChoice(RegisteredField):
    """A model of the provider chosen beside it.

    Where that is another provider than before, the model of the former one is no
    choice and no mistake either.
    """

    has_new_provider = False

    def clean(self, value: Any) -> str:
        """Return the model, or nothing for one of the provider before."""
        if self.has_new_provider and not self.valid_value(value):
            return ""
        return str(super().clean(value))


class NeedForm(forms.Form):
    """One card of the Wire step: a role, its provider and that provider's model.

    `models` is the offer of models: one for all cards of the provider on a page, one
    of its own for a card that `is_alone`. `homes` are the providers to which the model
    that the code wants can be added, where nobody serves it.
    """

    role = forms.CharField(
        max_length=63,
        label=gettext_lazy("Role"),
        error_messages={"required": gettext_lazy("Name the role.")},
        widget=forms.TextInput(attrs={"list": "roles", "autocomplete": "off"}),
    )
    provider = RegisteredField(required=False, label=gettext_lazy("Provider"))
    model = ModelChoice(required=False, label=gettext_lazy("Model"))

    def __init__(
        self,
        need: Need,
        served: Served,
        *,
        index: int,
        data: Mapping[str, Any] | None = None,
        is_alone: bool = False,
        obstacles: Iterable[Obstacle] = (),
        homes: Mapping[str, list[str]] | None = None,
    ) -> None:
        initial = {
            "role": need.role,
            "provider": need.provider,
            "model": need.model_id,
        }
        super().__init__(data, prefix=str(index), initial=initial)
        self.need, self.index = need, index
        places = set(need.places)
        self.obstacles = [o for o in obstacles if (o.file, o.line) in places]
        self.serving = drafts.serving(need, served)
        lacks = need.model and not self.serving
        self.homes = (homes or {}).get(need.vendor, [])[:MAX_HOMES] if lacks else []
        self.wanted = bare(need.model)
        self._served = served
        providers = dict.fromkeys([name for name, _model in self.serving])
        providers |= dict.fromkeys(served)
        kept = [need.provider] if need.provider not in (*served, "") else []
        cast(RegisteredField, self.fields["provider"]).offer(
            _provider_offer(providers), _("Choose a provider"), _named(kept)
        )
        chosen = self["provider"].value() or ""
        fitting = registration.fitting_first(served.get(chosen, {}), need.kind)
        self.models = Offer(
            _named(fitting),
            f"card-{index}-models" if is_alone else f"{need.kind}-models-of-{chosen}",
        )
        kept = [need.model_id] if kept else []
        model = cast(ModelChoice, self.fields["model"])
        model.offer(self.models, _("Choose a model"), _named(kept))
        model.has_new_provider = chosen != need.provider

    @property
    def is_of_another_kind(self) -> bool:
        """Whether the model that is chosen seems to be for something else."""
        models = self._served.get(self.need.provider, {})
        return models.get(self.need.model_id, self.need.kind) != self.need.kind

    def clean_role(self) -> str:
        """Return the role, refused if it cannot be part of a variable."""
        role: str = self.cleaned_data["role"].strip().lower()
        if not ROLE.fullmatch(role):
            raise ValidationError(
                _("Use a lower-case word of letters, digits, hyphens and underscores.")
            )
        return role

    def result(self) -> Need:
        """Return the need as chosen; what is wrong stays as it was.

        With another provider the model of the code is chosen if it serves that, or
        its only one.
        """
        cleaned = self.cleaned_data
        provider, model = cleaned.get("provider"), cleaned.get("model")
        if provider is None or model is None:
            provider, model = self.need.provider, self.need.model_id
        elif provider and not model:
            same = [m for name, m in self.serving if name == provider]
            only = list(self._served.get(provider, {}))
            model = same[0] if same else only[0] if len(only) == 1 else ""
        return replace(
            self.need,
            role=cleaned.get("role", self.need.role),
            provider=provider,
            model_id=model if provider else "",
            is_settled=True,
        )


def page_offers(cards: Iterable[NeedForm], served: Served) -> list[Offer]:
    """Return what the cards of a page offer: each provider's models once."""
    models = {card.models.uid: card.models for card in cards}
    return [_provider_offer(served), *models.values()]


def _provider_offer(names: Iterable[str]) -> Offer:
    return Offer(_named(names), "registered-providers")


def _named(names: Iterable[str]) -> list[Choice]:
    return [(name, name) for name in names]


class DeployForm(forms.Form):
    """What an agent still needs before it is registered: its name and its prompt."""

    name = forms.CharField(
        max_length=63,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Lower-case letters, digits, dots and hyphens."),
        error_messages={"required": gettext_lazy("Enter a name for the agent.")},
    )
    system_prompt = forms.CharField(
        required=False,
        label=gettext_lazy("System prompt"),
        help_text=gettext_lazy("Handed to the agent as SYSTEM_PROMPT."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean_name(self) -> str:
        """Return the name; refused if it is taken, reserved or malformed."""
        name: str = self.cleaned_data["name"].strip()
        check_agent_name(name)
        agent = Agent(name=name)
        try:
            agent.full_clean()
        except ValidationError as error:
            raise ValidationError(error.message_dict["name"]) from None
        return name

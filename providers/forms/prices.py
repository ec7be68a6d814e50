"""The table of a provider's models: what each is called upstream and what it costs."""

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import inlineformset_factory
from django.utils.translation import gettext_lazy as _

from providers.forms import entries
from providers.models import ModelProvider, ProviderModel
from providers.models.kinds import KINDS, LABELS, kind_of


class ModelSettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """One row: the id is fixed here, the rest overrides what the gateway knows."""

    kind = forms.ChoiceField(required=False, label=_("Kind"))

    class Meta:
        model = ProviderModel
        fields = ["upstream_id", "base_model", *entries.PRICES.values()]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        for name in entries.PRICES.values():
            self.initial[name] = _plain(self.initial.get(name))
        told = row.capabilities.get("kind")
        self.initial["kind"] = told if told in KINDS else ""
        by_name = kind_of(row.model_id, row.upstream_id, row.base_model)
        cast(forms.ChoiceField, self.fields["kind"]).choices = [
            ("", _("%(kind)s, by name") % {"kind": LABELS[by_name]}),
            *LABELS.items(),
        ]
        for name, field in self.fields.items():
            label = f"{field.label or name} {_('of')} {self.instance.model_id}"
            field.widget.attrs["aria-label"] = label
            if name.endswith("price"):
                field.widget.attrs |= {"min": "0", "placeholder": _("list")}

    def clean(self) -> dict[str, Any]:
        """Hold the row to the rules that the API applies to the same values."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        item = {
            "id": self.instance.model_id,
            "upstream_id": cleaned.get("upstream_id"),
            "base_model": cleaned.get("base_model"),
            "prices": {
                key: cleaned.get(column) for key, column in entries.PRICES.items()
            },
        }
        try:
            entries.parse([item])
        except ValidationError as error:
            raise ValidationError(error.messages) from None
        self._take_kind(cleaned.get("kind", ""))
        return cleaned

    def _take_kind(self, kind: str) -> None:
        """Note the kind among the row's capabilities; none leaves it to the name."""
        others = {k: v for k, v in self.instance.capabilities.items() if k != "kind"}
        self.instance.capabilities = {**others, "kind": kind} if kind else others


def _plain(price: Decimal | None) -> Decimal | None:
    """Return a price without zeros that say nothing; its field is narrow."""
    return None if price is None else Decimal(f"{price.normalize():f}")


ModelSettingsFormSet = inlineformset_factory(
    ModelProvider,
    ProviderModel,
    form=ModelSettingsForm,
    extra=0,
    can_delete=False,
)

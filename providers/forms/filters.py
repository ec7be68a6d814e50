"""What lists of providers, and of a provider's models, may be narrowed to."""

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from providers import vendors
from providers.models import ModelProvider, ProviderModel

DISABLED = "disabled"


class ModelFilterForm(forms.Form):
    """What the models of one provider are narrowed to."""

    q = forms.CharField(required=False, max_length=512, label=_("Model id"))

    def narrow(self, rows: QuerySet[ProviderModel]) -> QuerySet[ProviderModel]:
        """Return the models that pass; a mistake does not narrow."""
        self.is_valid()
        return rows.filter(model_id__icontains=self.cleaned_data.get("q", ""))

    def query(self) -> dict[str, str]:
        """Return the filter in use, for links to further pages."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class FilterForm(forms.Form):
    """An empty field does not narrow, and neither does a mistake."""

    q = forms.CharField(required=False, max_length=512, label=_("Name or model"))
    type = forms.ChoiceField(
        required=False,
        label=_("Type"),
        choices=lambda: [("", _("Any")), *vendors.choices()],
    )
    status = forms.ChoiceField(
        required=False,
        label=_("Status"),
        choices=[
            ("", _("Any")),
            *ModelProvider.Status.choices,
            (DISABLED, _("Disabled")),
        ],
    )

    sort = forms.ChoiceField(
        required=False,
        label=_("Sorted by"),
        choices=[
            ("", _("Name")),
            ("-name", _("Name, from the end")),
            ("type", _("Type")),
            ("-type", _("Type, from the end")),
            ("status", _("Status, what fails first")),
            ("-status", _("Status, what works first")),
            ("models", _("Models, most first")),
            ("-models", _("Models, fewest first")),
            ("requests", _("Requests, most first")),
            ("-requests", _("Requests, fewest first")),
        ],
    )

    def narrow(self, rows: QuerySet[ModelProvider]) -> QuerySet[ModelProvider]:
        """Return the providers that pass."""
        self.is_valid()
        if text := self.cleaned_data.get("q"):
            serving = ModelProvider.objects.filter(
                provider_models__model_id__icontains=text
            )
            rows = rows.filter(Q(name__icontains=text) | Q(pk__in=serving.values("pk")))
        if kind := self.cleaned_data.get("type"):
            rows = rows.filter(provider_type=kind)
        match self.cleaned_data.get("status", ""):
            case "":
                return rows
            case "disabled":
                return rows.filter(enabled=False)
            case status:
                return rows.filter(enabled=True, status=status)

    @property
    def order(self) -> str:
        """What the list is sorted by, `-` before it where it is the other way round."""
        return self.cleaned_data.get("sort") or "name"

    @property
    def is_filtered(self) -> bool:
        """Whether there may be providers that the list leaves out."""
        return any(value for name, value in self.query().items() if name != "sort")

    def query(self) -> dict[str, str]:
        """Return the filters in use and the order, for links to further pages."""
        return {name: value for name, value in self.cleaned_data.items() if value}

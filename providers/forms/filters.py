"""What the list of providers may be narrowed to."""

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from providers.models import ModelProvider

DISABLED = "disabled"


class FilterForm(forms.Form):
    """An empty field does not narrow, and neither does a mistake."""

    q = forms.CharField(required=False, max_length=512, label=_("Name or model"))
    type = forms.ChoiceField(
        required=False,
        label=_("Type"),
        choices=[("", _("Any")), *ModelProvider.Type.choices],
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

    def query(self) -> dict[str, str]:
        """Return the filters in use, for links to further pages."""
        return {name: value for name, value in self.cleaned_data.items() if value}

"""Stored secrets in Django's admin: replaced, and never shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from providers.api import object_secrets
from providers.forms import credentials
from providers.models import ModelProvider, Secret


class SecretForm(forms.ModelForm):  # type: ignore[type-arg]
    """A secret: its name, and values that are entered and never shown."""

    class Meta:
        model = Secret
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in credentials.ALL_VALUES:
            self.fields[name] = forms.CharField(
                required=False,
                label=credentials.LABELS[name],
                widget=forms.PasswordInput(
                    attrs={"autocomplete": "new-password"}, render_value=False
                ),
            )

    def clean(self) -> dict[str, Any]:
        """Check that the values entered belong together and are complete."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        values = self.entered()
        if not values and self.instance.pk:
            return cleaned
        for problem in object_secrets.data_problems(values):
            path, _colon, sentence = problem.partition(": ")
            field = path.removeprefix("data.")
            self.add_error(
                field if field in self.fields else None, ValidationError(sentence)
            )
        return cleaned

    def entered(self) -> dict[str, str]:
        """Return the values that were entered."""
        names = credentials.ALL_VALUES
        return {name: self.cleaned_data[name] for name in names if self._has(name)}

    def _has(self, name: str) -> bool:
        return bool(self.cleaned_data.get(name))


@admin.register(Secret)
class SecretAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Secrets: what they hold and where it may go, without a single value."""

    list_display = ["name", "holds", "goes_to", "used_by", "entered_at"]
    search_fields = ["name"]
    readonly_fields = ["holds", "goes_to", "used_by", "created_at", "entered_at"]
    fieldsets = [
        (None, {"fields": ["name"]}),
        (
            _("Replace the values"),
            {
                "description": _(
                    "What is stored is never shown. Entering one value replaces all; "
                    "empty keeps them."
                ),
                "fields": list(credentials.ALL_VALUES),
            },
        ),
        (
            _("Stored"),
            {"fields": ["holds", "goes_to", "used_by", "created_at", "entered_at"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        """Fetch along who uses the secrets."""
        return super().get_queryset(request).prefetch_related("providers")

    def get_form(  # type: ignore[override]
        self, request: HttpRequest, obj: Secret | None = None, **kwargs: Any
    ) -> type[SecretForm]:
        """Use the form as it is: some of its fields are only made with it."""
        return SecretForm

    def save_model(
        self, request: HttpRequest, obj: Secret, form: SecretForm, change: bool
    ) -> None:
        """Store the name, and the values if any were entered."""
        values = form.entered()
        if values:
            obj.store(values, obj.origins)
        obj.save()
        if values and change:
            ModelProvider.objects.filter(secret=obj).update(
                status=ModelProvider.Status.PENDING, status_message=""
            )

    @admin.display(description=_("holds"))
    def holds(self, secret: Secret) -> str:
        """The names of the values."""
        return ", ".join(secret.keys)

    @admin.display(description=_("may be sent to"))
    def goes_to(self, secret: Secret) -> str:
        """The origins that the values were entered for."""
        return ", ".join(secret.origins) or "-"

    @admin.display(description=_("used by"))
    def used_by(self, secret: Secret) -> str:
        """The providers that send it."""
        if secret.pk is None:
            return "-"
        return ", ".join(row.name for row in secret.users()) or "-"

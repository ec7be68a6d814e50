"""The forms of the Settings pages."""

from typing import Any

from django import forms
from django.db import transaction

from providers.forms import credentials, network
from providers.models import ModelProvider, Secret


class SecretForm(forms.Form):
    """New values for everything that a secret holds."""

    def __init__(self, *args: Any, secret: Secret, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._secret = secret
        attrs = {"autocomplete": "new-password", "spellcheck": "false"}
        for name in secret.keys:
            widget: forms.Widget = forms.PasswordInput(attrs=attrs)
            if name == "client_key":
                widget = forms.Textarea(attrs={**attrs, "rows": 6, "class": "mono"})
            self.fields[name] = forms.CharField(
                label=credentials.LABELS.get(name, name),
                required=name != "aws_session_token",
                widget=widget,
            )

    def clean(self) -> dict[str, Any]:
        """Check the values as each provider that uses them would."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            network.check_values(cleaned)
            for provider in self._secret.networks.all():
                network.check_pair(provider, cleaned)
        except network.NetworkError as error:
            self.add_error(error.field, str(error))
        for provider in self._secret.providers.all():
            values = credentials.typed(provider.auth_type, cleaned)
            try:
                credentials.check_values(provider, values)
            except credentials.CredentialError as error:
                known = error.field if error.field in self.fields else None
                self.add_error(known, str(error))
                break
        return cleaned

    def save(self) -> None:
        """Store the values for the addresses that the secret was allowed for."""
        values = {name: value for name, value in self.cleaned_data.items() if value}
        with transaction.atomic():
            self._secret.store(values, self._secret.origins)
            self._secret.save()
            # Checked anew: the leader looks at what is pending.
            for users in (self._secret.providers, self._secret.networks):
                users.update(status=ModelProvider.Status.PENDING, status_message="")

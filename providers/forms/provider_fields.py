"""What is asked about a provider: the fields, what they start with, what they keep."""

import copy
from collections.abc import Mapping
from typing import Any, Self

from django import forms
from django.utils.text import get_text_list
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers.choices import Offer, typed
from providers.forms import credentials, entries, option_fields, presets
from providers.models import ModelProvider, Secret
from providers.vendors import VENDORS

Auth = ModelProvider.Auth


def _value_field(name: str) -> forms.CharField:
    hidden = name not in {"aws_access_key_id", "client_id", "proxy_user"}
    attrs = {"autocomplete": "new-password" if hidden else "off", "spellcheck": "false"}
    widget: forms.Widget = forms.TextInput(attrs=attrs)
    if hidden:
        widget = forms.PasswordInput(attrs=attrs, render_value=False)
    return forms.CharField(
        required=False, label=credentials.LABELS[name], widget=widget
    )


def _network_field(name: str) -> forms.CharField:
    """Return the field of a value that is secret, and of which a key has lines."""
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    if name != "client_key":
        return _value_field(name)
    widget = _Unshown(attrs={**attrs, "rows": 4, "class": "mono"})
    return forms.CharField(
        required=False, label=credentials.LABELS[name], widget=widget
    )


class _Unshown(forms.Textarea):
    """A text of lines that no page ever shows."""

    def format_value(self, value: Any) -> str:
        """Return nothing."""
        return ""


def _unknown_type() -> str:
    """Return what to say of a type that is none; the value is put in when it is."""
    types = get_text_list(list(VENDORS), gettext("or"))
    text = gettext("`%%(value)s` is not a provider type. Use %(types)s.")
    return text % {"types": types}


class SecretChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The stored secrets, by name and what tells them apart; never their values."""

    def label_from_instance(self, secret: Secret) -> str:
        """Return the name, the last characters, and where it may be sent."""
        label = f"{secret.name} · {credentials.outline(secret)}"
        if not secret.origins:
            return label
        return f"{label} · {credentials.places(secret.origins)}"

    def to_python(self, value: Any) -> Secret | None:
        """Return the secret named `value`, spaces around it aside."""
        found: Secret | None = super().to_python(
            value.strip() if isinstance(value, str) else value
        )
        return found


class ProviderFields(forms.ModelForm):  # type: ignore[type-arg]
    """The fields of a provider, as a page shows them or as JSON fills them in."""

    models = entries.ModelsField(label=_("Models"))
    secret = SecretChoice(
        Secret.objects.all(),
        to_field_name="name",
        required=False,
        label=_("Secret"),
        empty_label=_("New secret"),
        error_messages={
            "invalid_choice": _("There is no secret named `%(value)s`."),
        },
    )
    # Named by objects and files, and by the page of a copy; values have own fields.
    network_secret = SecretChoice(
        Secret.objects.all(),
        to_field_name="name",
        required=False,
        label=_("Secret of the network"),
        widget=forms.HiddenInput,
        error_messages={
            "invalid_choice": _("There is no secret named `%(value)s`."),
        },
    )
    options = forms.JSONField(required=False, label=_("Options"))
    private_network = forms.BooleanField(
        required=False, label=_("Allow an address on a private network")
    )
    token_params = option_fields.Lines(
        required=False, separator="=", label=_("Token parameters")
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    overwrite = forms.BooleanField(required=False, widget=forms.HiddenInput)
    # The provider that a new one is a copy of: its models' prices come along.
    clone = forms.CharField(required=False, max_length=63, widget=forms.HiddenInput)

    class Meta:
        model = ModelProvider
        fields = [
            "name",
            "provider_type",
            "endpoint",
            "private_network",
            "auth_type",
            "header_name",
            "value_prefix",
            "region",
            "authorization_url",
            "token_url",
            "scopes",
            "client_auth",
            "token_params",
            "requests_per_minute",
            "priority",
            "enabled",
            "options",
        ]
        error_messages = {
            "requests_per_minute": {
                "min_value": _(
                    "Less than 1 would refuse every call. Leave it empty for no limit, "
                    "or take the tick from Enabled."
                ),
            },
            "name": {"required": _("Enter a name for the provider.")},
            "endpoint": {"required": _("Enter the provider's API address.")},
            "provider_type": {"required": _("Choose the provider type.")},
            "auth_type": {
                "invalid_choice": _(
                    "`%(value)s` is not an authentication type. Use api_key, "
                    "aws_sigv4, oauth2 or none."
                ),
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.original: ModelProvider = copy.copy(self.instance)
        self.fields["provider_type"].error_messages["invalid_choice"] = _unknown_type()
        self.fields["value_prefix"].strip = False  # type: ignore[attr-defined]
        # The stylesheet tells by it that there is no address yet: no redirect then.
        self.fields["authorization_url"].widget.attrs["placeholder"] = (
            "https://login.example.com/authorize"
        )
        for name in ("auth_type", "client_auth", "priority"):
            self.fields[name].required = False
        for name in credentials.ALL_VALUES:
            self.fields[name] = _value_field(name)
        for name in credentials.NETWORK_VALUES:
            self.fields[name] = _network_field(name)
        self.fields.update(option_fields.form_fields())
        self.initial = {**self._stored_initial(), **self.initial}

    def _stored_initial(self) -> dict[str, Any]:
        """Return what the page shows besides the model's own fields."""
        shown = option_fields.initial(self.instance.options)
        if self.instance.pk:
            shown["models"] = [m.model_id for m in self.instance.provider_models.all()]
            shown["secret"] = self.instance.secret and self.instance.secret.name
            network = self.instance.network_secret
            shown["network_secret"] = network.name if network is not None else None
            shown["version"] = self.instance.version
        return shown

    def offer_secrets(self) -> Offer:
        """Return the stored secrets, to be typed where a menu has no room for them."""
        names = Secret.objects.values_list("name", "name")
        offer = Offer(list(names), "stored-secrets")
        if offer.is_long:
            self.fields["secret"].widget = typed(offer)
        return offer

    @classmethod
    def for_values(
        cls, values: Mapping[str, Any], instance: ModelProvider | None = None
    ) -> Self:
        """Return a form bound to `values`, which name form fields and may be partial.

        What is left out keeps `instance`'s value; for a new provider it takes the
        preset of its type. Values have JSON's types.
        """
        if instance is None:
            given = str(values.get("provider_type") or "").lower()
            preset = presets.initial(given, str(values.get("auth_type") or ""))
            return cls({**preset, **values})
        stored: dict[str, Any] = {
            name: getattr(instance, name)
            for name in cls.Meta.fields
            if name != "private_network"
        }
        stored["models"] = [row.model_id for row in instance.provider_models.all()]
        if instance.private_network or values.get("endpoint") in (
            None,
            instance.endpoint,
        ):
            stored["private_network"] = instance.private_network
        if values.get("auth_type") == Auth.API_KEY != instance.auth_type:
            stored |= instance.vendor.key_fields
        return cls({**stored, **values}, instance=instance)

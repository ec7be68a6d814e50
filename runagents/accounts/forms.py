"""The form of the first visit."""

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from runagents.accounts import setup

WRONG_TOKEN = _(
    "This is not the token of this installation. Use the link that the server printed "
    "last; starting it again prints it again."
)


class SetupForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """Creates the first administrator for whoever has the set-up token."""

    token = forms.CharField(
        label=_("Set-up token"),
        max_length=200,
        help_text=_("The server printed it when it started."),
        widget=forms.PasswordInput(
            render_value=True, attrs={"autocomplete": "off", "spellcheck": "false"}
        ),
    )
    field_order = ["token", "username", "email", "password1", "password2"]

    class Meta(BaseUserCreationForm.Meta):
        fields = ("username", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = ""
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        self.fields["email"].label = _("E-mail (optional)")
        self.fields["password1"].help_text = _("At least 8 characters.")
        self.fields["password2"].help_text = ""

    def clean_token(self) -> str:
        """Compare the token with the one in the data folder."""
        token: str = self.cleaned_data["token"]
        if not setup.is_valid(token):
            raise ValidationError(WRONG_TOKEN)
        return token

    @transaction.atomic
    def create_administrator(self) -> User | None:
        """Use the token up and create the account; None if somebody was faster."""
        if User.objects.exists() or not setup.consume(self.cleaned_data["token"]):
            return None
        user: User = self.save(commit=False)
        user.is_staff = user.is_superuser = True
        user.save()
        return user

"""The forms of the first visit, of inviting people and of coming when invited."""

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from providers.roles import Role, give
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
        give(user, Role.ADMINISTRATOR)
        user.save()
        return user


class RoleForm(forms.Form):
    """Another role for somebody."""

    role = forms.TypedChoiceField(
        label=_("Role"),
        choices=Role.choices,
        coerce=lambda value: Role(int(value)),
        initial=Role.VIEWER,
    )


class InvitationForm(RoleForm):
    """Who is invited, and as what."""

    name = forms.CharField(
        max_length=150,
        label=_("User name"),
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    field_order = ["name", "role"]

    def clean_name(self) -> str:
        """Refuse a name that somebody has or had, in whatever capitals."""
        name: str = User.normalize_username(self.cleaned_data["name"])
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(
                _("Somebody has this name. Make a new link for them instead.")
            )
        return name


class JoinForm(SetPasswordForm):  # type: ignore[type-arg]
    """The password of somebody who was invited."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = _("Password")
        self.fields["new_password1"].help_text = _("At least 8 characters.")
        self.fields["new_password2"].label = _("Password confirmation")
        self.fields["new_password2"].help_text = ""

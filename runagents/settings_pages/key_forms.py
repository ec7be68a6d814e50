"""What is decided about a key that we issue: its name, its last day, its reach."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.forms import key_terms
from providers.models import NAME_RULE, WorkspaceKey
from runagents.agents.models import AgentKey


class KeyForm(forms.Form):
    """A key of the workspace."""

    name = forms.CharField(
        max_length=63,
        validators=[NAME_RULE],
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Who or what holds it, such as ci."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    expires_on = forms.DateField(
        required=False,
        label=gettext_lazy("Last day"),
        help_text=gettext_lazy("It ends at midnight UTC. Empty: it does not end."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    reach = forms.CharField(
        required=False,
        max_length=50_000,
        label=gettext_lazy("Models"),
        help_text=gettext_lazy(
            "One a line: model, provider/model, or provider/* for all of a "
            "provider's. Empty: no narrower than before."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    @staticmethod
    def initial_of(key: WorkspaceKey | AgentKey) -> dict[str, Any]:
        """Return what the form shows of a key."""
        last = key.expires_at - timedelta(microseconds=1) if key.expires_at else None
        reach = "\n".join(key.models)
        return {"name": key.name, "expires_on": last and last.date(), "reach": reach}

    def clean_expires_on(self) -> datetime | None:
        """Return the midnight after the last day; one that is over is refused.

        The day that stands there already stays as exact as it was.
        """
        day: date | None = self.cleaned_data["expires_on"]
        if day is None:
            return None
        if "expires_on" not in self.changed_data:
            return datetime.combine(day + timedelta(days=1), time(), UTC)
        return key_terms.end_of(day)

    def clean_reach(self) -> list[str]:
        """Return the entries; one that nothing answers to is refused by its name."""
        before = str(self.initial.get("reach", "")).splitlines()
        return key_terms.reach_of(self.cleaned_data["reach"].splitlines(), before)

    def save(self, key: WorkspaceKey | AgentKey) -> None:
        """Store what is decided."""
        key.name = self.cleaned_data["name"]
        key.models = self.cleaned_data["reach"]
        if "expires_on" in self.changed_data:
            key.expires_at = self.cleaned_data["expires_on"]
        key.save(update_fields=["name", "models", "expires_at"])


class AgentKeyForm(KeyForm):
    """A key of an agent: it need not have a name beside its agent's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False
        self.fields["name"].help_text = _("Where it is used, such as `staging`.")

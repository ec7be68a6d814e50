"""Keeping prompts and answers for a time, switched on the page of the gateway."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from providers.models import BodyWindow, ModelProvider
from runagents.agents.models import Agent
from runagents.settings_pages import gateway_facts

MINUTES: dict[str, Any] = {
    "15": gettext_lazy("15 minutes"),
    "60": gettext_lazy("1 hour"),
    "240": gettext_lazy("4 hours"),
    "1440": gettext_lazy("1 day"),
}

ALL = gettext_lazy("all")


class BodyWindowForm(forms.Form):
    """For how long bodies are kept, and of which calls."""

    minutes = forms.ChoiceField(label=gettext_lazy("For"), choices=[*MINUTES.items()])
    caller = forms.CharField(
        required=False,
        max_length=80,
        label=gettext_lazy("Agent or key"),
        widget=forms.TextInput(attrs={"list": "known-caller", "placeholder": ALL}),
    )
    provider = forms.CharField(
        required=False,
        max_length=63,
        label=gettext_lazy("Provider"),
        widget=forms.TextInput(attrs={"list": "known-provider", "placeholder": ALL}),
    )

    def clean_provider(self) -> str:
        """Return the provider's name; one that is mistyped would keep nothing."""
        name: str = self.cleaned_data["provider"]
        if name and not ModelProvider.objects.filter(name=name).exists():
            raise forms.ValidationError(_("There is no provider of this name."))
        return name

    def save(self) -> BodyWindow:
        """Begin to keep them."""
        data = self.cleaned_data
        return BodyWindow.objects.create(
            caller=data["caller"],
            provider=data["provider"],
            ends_at=timezone.now() + timedelta(minutes=int(data["minutes"])),
        )


def context(form: BodyWindowForm | None = None) -> dict[str, Any]:
    """Return what the page of the gateway shows of it."""
    return {
        "groups": gateway_facts.groups(),
        "windows": BodyWindow.open_now(),
        "body_form": form or BodyWindowForm(),
        "known": {
            "caller": Agent.objects.values_list("name", flat=True)[:300],
            "provider": ModelProvider.objects.values_list("name", flat=True)[:300],
        },
    }


@login_required
@require_POST
def body_window_create(request: HttpRequest) -> HttpResponse:
    """Begin to keep the bodies of some calls for a time."""
    form = BodyWindowForm(request.POST)
    if not form.is_valid():
        page = "settings/gateway_settings.html"
        return render(request, page, context(form), status=422)
    window = form.save()
    messages.success(request, _("Prompts and answers are kept: %s.") % window)
    return redirect("gateway-settings")


@login_required
@require_POST
def body_window_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep no more of them; what is kept already stays for its days."""
    get_object_or_404(BodyWindow, pk=pk).delete()
    messages.success(request, _("They are not kept any more."))
    return redirect("gateway-settings")

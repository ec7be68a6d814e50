"""The registry as a file in the console: taken out, and brought in after a look."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from providers.api import registry_files
from providers.api.registry_changes import Change, RegistryFileError
from providers.models.announced import exported
from providers.roles import Role, may

MAX_BYTES = 4 * 1024 * 1024
FILE_NAME = "registry.yaml"


class RegistryForm(forms.Form):
    """A registry file, chosen or pasted."""

    file = forms.FileField(
        required=False,
        label=gettext_lazy("Registry file"),
        help_text=gettext_lazy(
            "As Export or `manage.py providers export` write it: YAML without secrets."
        ),
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml"}),
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label=gettext_lazy("Or paste it"),
        widget=forms.Textarea(
            attrs={"rows": 10, "class": "mono", "spellcheck": "false"}
        ),
    )

    def clean(self) -> dict[str, Any]:
        """Return the file's text as `text`, whichever way it came."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if file is not None:
            if file.size > MAX_BYTES:
                raise ValidationError(_("A registry is 4 MiB at the most."))
            try:
                cleaned["text"] = file.read().decode()
            except UnicodeDecodeError:
                raise ValidationError(_("The file is not UTF-8 text.")) from None
        if not str(cleaned.get("text", "")).strip():
            raise ValidationError(_("Choose a file or paste one."))
        return cleaned


@login_required
@require_safe
def registry_export(request: HttpRequest) -> HttpResponse:
    """Return the registry as a file, without any secret's value."""
    text = registry_files.export()
    exported.send(sender=registry_export, what="registry")
    return HttpResponse(
        text,
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{FILE_NAME}"'},
    )


@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def registry_import(request: HttpRequest) -> HttpResponse:
    """Show what a file would change; once that was seen, change it."""
    form = RegistryForm()
    if request.method == "POST":
        form = RegistryForm(request.POST, request.FILES)
    context: dict[str, Any] = {"form": form}
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "providers/registry_import.html", context, status=status)
    text = form.cleaned_data["text"]
    is_seen = "apply" in request.POST
    try:
        changes = _applied(request, text, dry_run=not is_seen)
    except RegistryFileError as error:
        context["problems"] = error.problems
        return render(request, "providers/registry_import.html", context, status=422)
    if is_seen:
        messages.success(request, _("The registry is as the file says."))
        return redirect("provider-list")
    context |= {"changes": changes, "text": text}
    return render(request, "providers/registry_import.html", context)


def _applied(request: HttpRequest, text: str, *, dry_run: bool) -> list[Change]:
    """Apply a file; raises RegistryFileError.

    No variable of the environment is known here: whoever is signed in must not send
    what the server was started with anywhere.
    """
    return registry_files.apply(
        text.replace("\r\n", "\n"),
        {},
        dry_run=dry_run,
        by_administrator=may(request.user, Role.ADMINISTRATOR),
    )

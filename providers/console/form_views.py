"""The form of a provider: new and edit, and the parts of it that refresh by themselves.

Each part also works without scripts: then the same button returns the whole page.
"""

import difflib
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from providers import endpoints, options, snippets, vendors
from providers.forms import credentials, option_fields, presets
from providers.forms.provider import EditConflict, ProviderForm
from providers.models import ModelProvider
from providers.roles import Role, may
from providers.vendors import VENDORS, Vendor
from providers.vendors.presets import PRESETS

# How many models that others serve too are told at once.
MAX_SHARED = 3
# What of a name is kept, so that "-copy-99" fits behind it.
MAX_NAME_COPIED = 55
OF_PROXY_FIELDS = ("proxy_user", "proxy_password")

# --- new and edit ---


@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def provider_create(request: HttpRequest) -> HttpResponse:
    """Register a provider.

    `type`, `preset` and `model` in the address fill it in, or `clone`: another's name.
    """
    if request.method == "POST":
        return _save(request, bound(request))
    if source := request.GET.get("clone", ""):
        return page(request, _clone(get_object_or_404(ModelProvider, name=source)))
    chosen = request.GET.get("type", "")
    kind = chosen if chosen in VENDORS else vendors.USUAL
    initial = presets.initial(kind) | {"name": presets.free_name(kind, _names())}
    initial |= presets.of_preset(request.GET.get("preset", ""))
    if model := request.GET.get("model", ""):
        initial["models"] = model
    return page(request, ProviderForm(initial=initial))


@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def provider_edit(request: HttpRequest, name: str) -> HttpResponse:
    """Change a provider; secrets stay unless entered again."""
    provider = get_object_or_404(ModelProvider, name=name)
    if request.method == "POST":
        return _save(request, bound(request, provider))
    return page(request, ProviderForm(instance=provider))


def bound(request: HttpRequest, instance: ModelProvider | None = None) -> ProviderForm:
    """Return the form with what was posted, within what the user may decide."""
    form = ProviderForm(_posted(request), instance=instance)
    form.by_administrator = may(request.user, Role.ADMINISTRATOR)
    return form


def _clone(source: ModelProvider) -> ProviderForm:
    """Return a new provider's form with all of `source` but its name.

    The same stored secret is chosen; its value is not read.
    """
    initial = dict(ProviderForm(instance=source).initial)
    del initial["version"]
    name = presets.free_name(f"{source.name[:MAX_NAME_COPIED]}-copy", _names())
    return ProviderForm(initial=initial | {"name": name, "clone": source.name})


def _save(request: HttpRequest, form: ProviderForm) -> HttpResponse:
    if not form.is_valid():
        return page(request, form, status=422)
    if (lost := form.lost_wires()) and "unwire" not in request.POST:
        return page(request, form, status=409, lost_wires=lost)
    shared = form.shares()
    try:
        provider = form.save()
    except EditConflict as error:
        form.add_error(None, ValidationError(str(error), code="conflict"))
        return page(request, form, status=409)
    except IntegrityError:
        # Somebody took the name between the check and the save.
        form.add_error("name", _("A model provider with this name exists."))
        return page(request, form, status=409)
    messages.success(request, _("%s is saved. It is being checked.") % provider.name)
    for model, told in list(shared.items())[:MAX_SHARED]:
        tell = messages.info if told.is_asked else messages.warning
        tell(request, f"{model}: {told.meaning}")
    return redirect(provider)


def _posted(request: HttpRequest) -> QueryDict:
    """Return what was posted, with models ticked in the picker added to the list."""
    posted = request.POST.copy()
    if picked := posted.getlist("picked"):
        posted["models"] = "\n".join([posted.get("models", ""), *picked])
    return posted


def _names() -> set[str]:
    return set(ModelProvider.objects.values_list("name", flat=True))


# --- the page ---


def page(
    request: HttpRequest, form: ProviderForm, status: int = 200, **extra: Any
) -> HttpResponse:
    context = _context(request, form) | extra
    return render(request, "providers/provider_form.html", context, status=status)


def _context(request: HttpRequest, form: ProviderForm) -> dict[str, Any]:
    kind = form["provider_type"].value() or vendors.USUAL
    vendor = vendors.of(kind)
    original = form.original
    callback = snippets.base_url(request) + reverse("provider-oauth-callback")
    return {
        "form": form,
        "original": original if original.pk else None,
        "kind": kind,
        "types": [(name, each.label, each.note) for name, each in VENDORS.items()],
        "variants": PRESETS,
        "template": PRESETS.get(request.GET.get("preset", "")),
        "auths": ModelProvider.Auth.choices,
        "auth": form["auth_type"].value() or vendor.auth_type,
        "example_models": _example_models(request, vendor),
        "secrets": form.offer_secrets(),
        "stored": original.secret if original.pk else None,
        "option_fields": [form[name] for name in _options(request, vendor)],
        "network_fields": _network(request, form),
        "network_outline": _network_outline(form),
        "timeout_fields": [form[name] for name in option_fields.TIMEOUT_FIELDS],
        "redirect_url": callback,
        "advanced_open": _has_advanced(form),
        **_previews(form),
    }


def _options(request: HttpRequest, vendor: Vendor) -> list[str]:
    """Return the fields of the options that the user may set."""
    names = option_fields.names(vendor.options)
    if may(request.user, Role.ADMINISTRATOR):
        return names
    kept = {f"option_{name}" for name in options.ADMINISTRATORS}
    return [name for name in names if name not in kept]


def _network(request: HttpRequest, form: ProviderForm) -> list[BoundField]:
    if not may(request.user, Role.ADMINISTRATOR):
        return []
    proxy, resolves, authorities, certificate = option_fields.NETWORK_FIELDS
    names = [proxy, resolves, *OF_PROXY_FIELDS, authorities, certificate, "client_key"]
    return [form[name] for name in names]


def _network_outline(form: ProviderForm) -> list[str]:
    """Return what is stored for the connections, without anything secret."""
    stored, row = form.original.options, form.original
    kept = ("ca_certificates", "client_certificate")
    open_ones = {name: stored[name] for name in kept if stored.get(name)}
    told = [f"{label}: {lines[0]}" for label, lines in options.told(open_ones)]
    secret = row.network_secret if row.pk else None
    if secret is not None:
        names = credentials.outline(secret)
        told.append(_("Stored: %s. Empty fields keep them.") % names)
    return told


def _example_models(request: HttpRequest, vendor: Vendor) -> str:
    preset = PRESETS.get(request.GET.get("preset", ""))
    return (preset.models if preset else "") or vendor.example_models


def _has_advanced(form: ProviderForm) -> bool:
    """Tell whether *Advanced* holds something to see: a value or a mistake."""
    own = credentials.NETWORK_VALUES
    names = {"options", *option_fields.NAMES, *own}
    return bool(form.original.options) or bool(names & set(form.errors))


def _previews(form: ProviderForm) -> dict[str, Any]:
    """Return what a request will look like with what stands in the form now."""

    def value(name: str) -> str:
        return str(form[name].value() or "")

    kind, endpoint = value("provider_type"), value("endpoint")
    known = kind in VENDORS
    prefix = value("value_prefix")
    return {
        "chat_url": endpoints.chat_url(
            kind, endpoint, value("region"), value("option_version_path")
        )
        if known
        else "",
        "is_localhost": "//localhost" in endpoint or "//127." in endpoint,
        "vendor": vendors.of(kind),
        "header_name": value("header_name"),
        "value_prefix": prefix,
        "key_hint": _key_hint(form, value("api_key")),
        "lacks_space": prefix.strip().lower() in {"bearer", "token", "basic"}
        and not prefix.endswith(" "),
        "private_network_note": form.private_network_note,
        **_region_note(form),
    }


def _region_note(form: ProviderForm) -> dict[str, str]:
    """Return the region that the vendor does not know, and one that looks like it."""
    region = str(form["region"].value() or "").strip()
    regions = vendors.of(str(form["provider_type"].value() or "")).regions()
    if not region or not regions or region in regions:
        return {}
    alike = difflib.get_close_matches(region, sorted(regions), 1, 0.6)
    return {"unknown_region": region, "known_region": "".join(alike)}


def _key_hint(form: ProviderForm, typed: str) -> str:
    if typed:
        return f"••••{typed[-4:]}" if len(typed) >= 16 else "••••"
    secret = form.original.secret if form.original.pk else None
    return credentials.outline(secret) if secret and secret.hints else "••••"


# --- parts that refresh by themselves ---


def _edited(request: HttpRequest) -> ModelProvider | None:
    """Return the provider that `provider` in the address names; None for a new one."""
    name = request.GET.get("provider", "")
    return get_object_or_404(ModelProvider, name=name) if name else None


def form_for(request: HttpRequest) -> ProviderForm:
    """Return the form bound to what was posted, for `provider` if one is edited."""
    form = bound(request, _edited(request))
    form.is_valid()
    return form


@login_required
@sensitive_post_parameters()
@require_POST
def provider_fields(request: HttpRequest) -> HttpResponse:
    """Return the fields for another type; what somebody typed stays."""
    instance = _edited(request)
    before = request.POST.get("shown_type", "")
    after = request.POST.get("provider_type", "")
    values = _posted(request).dict()
    values.pop("version", None)
    if after in VENDORS:
        taken = _names() - ({instance.name} if instance else set())
        values = presets.switched(values, before, after, taken)
    form = ProviderForm(initial=values, instance=instance)
    if request.headers.get("HX-Request"):
        return render(request, "providers/_fields.html", _context(request, form))
    return page(request, form)


@login_required
@sensitive_post_parameters()
@require_POST
def provider_field(request: HttpRequest) -> HttpResponse:
    """Return what is wrong with one field, checked by the same form that saves."""
    form = form_for(request)
    name = request.GET.get("field", "")
    errors = form.errors.get(name) if name in form.fields else None
    if name != "models":
        return render(request, "_errors.html", {"errors": errors})
    shared = list(form.shares().items())[:MAX_SHARED]
    context = {"errors": errors, "shared": shared}
    return render(request, "providers/_models_notes.html", context)


@login_required
@sensitive_post_parameters()
@require_POST
def provider_preview(request: HttpRequest) -> HttpResponse:
    """Return how a request will look: its URL (`part=endpoint`) or its header."""
    form = ProviderForm(_posted(request), instance=_edited(request))
    part = "header" if request.GET.get("part") == "header" else "endpoint"
    context = {"form": form, "oob": True, **_previews(form)}
    return render(request, f"providers/_preview_{part}.html", context)

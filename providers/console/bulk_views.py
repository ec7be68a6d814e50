"""What is done to several providers of the Models list at once."""

from collections.abc import Iterable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from providers.console import check_views
from providers.console.list_views import PAGE_SIZE, last_day
from providers.models import ModelProvider, Secret


@login_required
@require_POST
def check_all(request: HttpRequest) -> HttpResponse:
    """Have every enabled provider checked; the list shows what comes of it."""
    _check(request, ModelProvider.objects.all())
    return _back(request)


@login_required
@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Do what `action` says to the providers that are ticked, their `names`."""
    names = request.POST.getlist("names")[:PAGE_SIZE]
    rows = ModelProvider.objects.filter(name__in=names)
    action = request.POST.get("action", "")
    if not names:
        messages.warning(request, _("Tick the providers first."))
        return _back(request)
    match action:
        case "test":
            _check(request, rows)
        case "enable" | "disable":
            _switch(request, rows, enabled=action == "enable")
        case "delete":
            query = urlencode({"names": names}, doseq=True)
            return redirect(f"{reverse('provider-removal')}?{query}")
        case _:
            reason = _("action must be test, enable, disable or delete.")
            return render(request, "400.html", {"reason": reason}, status=400)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """Lead back to the list as it was narrowed, sorted and paged."""
    query = request.GET.urlencode()
    return redirect(reverse("provider-list") + (f"?{query}" if query else ""))


def _check(request: HttpRequest, rows: QuerySet[ModelProvider]) -> None:
    """Make the enabled of `rows` Pending, which the background check looks for.

    It asks so many at once as it may, and each provider once however often it is told
    meanwhile: all of them together count as one of a person's checks.
    """
    if not check_views.may_ask(request):
        messages.warning(request, check_views.too_often())
        return
    number = rows.filter(enabled=True).update(
        status=ModelProvider.Status.PENDING, status_message=""
    )
    text = ngettext(
        "%d provider is being checked.", "%d providers are being checked.", number
    )
    messages.success(request, text % number)


@transaction.atomic
def _switch(
    request: HttpRequest, rows: QuerySet[ModelProvider], *, enabled: bool
) -> None:
    number = sum(provider.set_enabled(enabled) for provider in rows)
    if enabled:
        text = ngettext(
            "%d provider was enabled.", "%d providers were enabled.", number
        )
    else:
        text = ngettext(
            "%d provider was disabled.", "%d providers were disabled.", number
        )
    messages.success(request, text % number)


# --- deleting ---


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def removal(request: HttpRequest) -> HttpResponse:
    """Ask before deleting several; those that agents are wired to stay.

    Where some were called within a day their number is to be typed, as the name of a
    single one is.
    """
    given = request.POST if request.method == "POST" else request.GET
    rows = ModelProvider.objects.filter(name__in=given.getlist("names")[:PAGE_SIZE])
    providers = list(rows.select_related("secret").prefetch_related("wires__agent"))
    wired = [each for each in providers if each.wires.all()]
    free = [each for each in providers if not each.wires.all()]
    traffic = last_day()
    called = sum(traffic[each.name].requests for each in free if each.name in traffic)
    error = ""
    if request.method == "POST":
        if request.POST.get("confirm", "").strip() == str(len(free)):
            _delete(request, free)
            return redirect("provider-list")
        error = _("Type %d to confirm.") % len(free)
    context = {
        "free": free,
        "wired": wired,
        "called": called,
        "error": error,
        "secrets": _only_theirs(free),
        "number": str(len(free)),
    }
    return render(
        request,
        "providers/provider_removal.html",
        context,
        status=422 if error else 200,
    )


def _only_theirs(providers: Iterable[ModelProvider]) -> list[Secret]:
    """Return the secrets that no provider uses besides these."""
    pks = [each.pk for each in providers]
    others = ModelProvider.objects.exclude(pk__in=pks).filter(secret__isnull=False)
    used = Secret.objects.filter(providers__in=pks).distinct()
    return list(used.exclude(pk__in=others.values("secret")))


def _delete(request: HttpRequest, providers: list[ModelProvider]) -> None:
    """Delete those nobody was wired to meanwhile and, if asked, their secrets."""
    wanted = bool(request.POST.get("secrets"))
    kept = [each.name for each in providers if not _is_deleted(each, wanted)]
    number = len(providers) - len(kept)
    text = ngettext("%d provider is deleted.", "%d providers are deleted.", number)
    messages.success(request, text % number)
    if kept:
        text = _("Agents are wired to %s. Rewire them, or disable it.")
        messages.warning(request, text % ", ".join(kept))


def _is_deleted(provider: ModelProvider, with_secret: bool) -> bool:
    secret = provider.secret
    try:
        with transaction.atomic():
            provider.delete()
            if secret is not None and with_secret and not secret.providers.exists():
                secret.delete()
    except ProtectedError:
        return False
    return True

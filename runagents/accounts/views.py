"""Set-up, log-in, log-out and the theme: the pages that need no log-in."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from runagents.accounts import setup, throttle
from runagents.accounts.forms import WRONG_TOKEN, SetupForm
from runagents.context import THEME_COOKIE, THEMES

YEAR = 365 * 24 * 3600


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Create the first administrator; gone as soon as any user exists."""
    if User.objects.exists():
        if not request.user.is_authenticated:
            messages.info(request, _("The administrator exists already. Sign in."))
        return redirect("login")
    token = request.GET.get("token", "")
    form = SetupForm(request.POST or None, initial={"token": token})
    if request.method == "POST" and form.is_valid():
        user = form.create_administrator()
        if user is None:
            return redirect("login")
        login(request, user)
        return redirect("dashboard")
    status = 422 if form.errors else 200
    is_wrong_link = bool(token) and not setup.is_valid(token)
    page = {"form": form, "wrong_link": WRONG_TOKEN if is_wrong_link else ""}
    return render(request, "console/setup.html", page, status=status)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password; slow down after failures."""
    if request.headers.get("HX-Request"):
        # A page whose session ended asks for a part of itself: reload it as a whole.
        return HttpResponseClientRefresh()
    target = _local_url(request, request.POST.get("next") or request.GET.get("next"))
    if request.user.is_authenticated:
        return redirect(target)
    if request.method == "GET" and not User.objects.exists():
        return redirect("set-up")
    name = request.POST.get("username", "")
    if request.method == "POST" and not throttle.admit(request, name):
        form = AuthenticationForm(request)
        message = _("Too many attempts. Wait 15 minutes and try again.")
        page = {"form": form, "next": target, "blocked": message}
        return render(request, "console/login.html", page, status=429)
    form = AuthenticationForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        throttle.forgive(request, name)
        login(request, form.get_user())
        return redirect(target)
    page = {"form": form, "next": target}
    status = 422 if form.errors else 200
    return render(request, "console/login.html", page, status=status)


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the system's theme in a cookie."""
    response = redirect(_local_url(request, request.POST.get("next")))
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE, theme, YEAR, samesite="Lax", secure=request.is_secure()
        )
    else:
        response.delete_cookie(THEME_COOKIE)
    return response


def _local_url(request: HttpRequest, url: str | None) -> str:
    """Return `url` if it is one of ours, else the Dashboard."""
    if url and url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    ):
        return url
    return reverse("dashboard")

"""The page of the console's people, and the one that an invitation leads to."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from providers import snippets
from providers.models import WorkspaceKey
from providers.roles import Role, role_of
from runagents import shown_once
from runagents.accounts import people
from runagents.accounts.forms import InvitationForm, JoinForm, RoleForm

PAGE = "people"
PAGE_SIZE = 50
KEYS_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
def user_list(request: HttpRequest) -> HttpResponse:
    """Show everybody; POST invites somebody."""
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        user, token = people.invite(**form.cleaned_data)
        return _with_link(request, user, token)
    rows = User.objects.order_by("-is_active", "username").prefetch_related("link")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = shown_once.take(request, PAGE)
    context = {
        "form": form,
        "page": page,
        "people": [_row(user) for user in page],
        "roles": Role.choices,
        **shown,
    }
    status = 422 if form.errors else 200
    response = render(request, "settings/user_list.html", context, status=status)
    return shown_once.unstored(response) if shown else response


@require_POST
def user_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody another role."""
    user = get_object_or_404(User, pk=pk, is_active=True)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("There is no such role."))
        return redirect("user-list")
    role = form.cleaned_data["role"]
    try:
        people.change_role(user, role)
    except people.LastAdministratorError as error:
        messages.error(request, str(error))
    else:
        told = {"name": user.get_username(), "role": role.label}
        messages.success(request, _("%(name)s is now %(role)s.") % told)
    return redirect("user-list" if user != request.user else "dashboard")


@require_POST
def user_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a link by which somebody sets a new password, and show it once."""
    user = get_object_or_404(User, pk=pk)
    return _with_link(request, user, people.new_link(user))


@require_http_methods(["GET", "HEAD", "POST"])
def user_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then let somebody in no more."""
    user = get_object_or_404(User, pk=pk, is_active=True)
    error = ""
    if request.method == "POST":
        try:
            people.end(user)
        except people.LastAdministratorError as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("%s can no longer sign in.") % user)
            return redirect("user-list")
    keys = WorkspaceKey.objects.filter(revoked_at=None)
    context = {"person": user, "error": error, "keys": keys[:KEYS_SHOWN]}
    status = 422 if error else 200
    return render(request, "settings/user_end.html", context, status=status)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Take a password from whoever has the link, once, and sign them in."""
    link = people.link_of(token)
    if link is None:
        return render(request, "console/join_gone.html", status=410)
    form = JoinForm(link.user, request.POST or None)
    if form.is_valid():
        user = people.use(link, form.cleaned_data["new_password1"])
        if user is None:
            return render(request, "console/join_gone.html", status=410)
        login(request, user)
        return redirect("dashboard")
    context = {"form": form, "person": link.user}
    status = 422 if form.errors else 200
    return render(request, "console/join.html", context, status=status)


def _with_link(request: HttpRequest, user: User, token: str) -> HttpResponse:
    address = snippets.base_url(request) + reverse("join", args=[token])
    shown_once.keep(request, PAGE, new_link=address, invited=user.get_username())
    return redirect("user-list")


def _row(user: User) -> dict[str, object]:
    """Return a user as the list shows them."""
    is_ended = not user.is_active
    return {
        "user": user,
        "role": role_of(user),
        "is_ended": is_ended,
        "is_invited": not is_ended and not is_password_usable(user.password),
        "link": getattr(user, "link", None),
    }

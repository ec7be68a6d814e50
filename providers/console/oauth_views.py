"""Connect and Reconnect: the authorization code grant with PKCE.

https://datatracker.ietf.org/doc/html/rfc6749#section-4.1 and RFC 7636.
"""

from hmac import compare_digest
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from providers import snippets
from providers.auth import oauth
from providers.models import ModelProvider

SESSION_KEY = "oauth"


def _redirect_uri(request: HttpRequest) -> str:
    return snippets.base_url(request) + reverse("provider-oauth-callback")


@login_required
@require_POST
def oauth_start(request: HttpRequest, name: str) -> HttpResponse:
    """Send the administrator to the provider's consent page.

    By a page that moves on, not by a redirect: `form-action` forbids a form to end
    anywhere else.
    """
    provider = get_object_or_404(ModelProvider, name=name, auth_type="oauth2")
    if not provider.authorization_url:
        messages.error(request, _("This provider has no authorization URL."))
        return redirect(provider)
    try:
        url, state = oauth.authorization_request(provider, _redirect_uri(request))
    except oauth.TokenError as error:
        messages.error(request, str(error))
        return redirect(provider)
    request.session[SESSION_KEY] = {**state, "version": provider.version}
    context = {"provider": provider, "url": url, "host": urlsplit(url).hostname}
    return render(request, "providers/oauth_start.html", context)


@login_required
@require_safe
def oauth_callback(request: HttpRequest) -> HttpResponse:
    """Take the code back, once, and only for the state this session was given."""
    pending = request.session.pop(SESSION_KEY, None)
    state = request.GET.get("state", "")
    if not pending or not compare_digest(pending["state"].encode(), state.encode()):
        messages.error(request, _("This sign-in was not started here. Try Connect."))
        return redirect("provider-list")
    # The secret comes along: the token request is made where no query may run.
    rows = ModelProvider.objects.select_related("secret")
    provider = get_object_or_404(rows, uid=pending["provider"])
    if provider.version != pending["version"]:
        messages.error(request, _("The provider changed meanwhile. Connect again."))
        return redirect(provider)
    if problem := request.GET.get("error", ""):
        messages.error(request, _("The provider refused: %s.") % problem[:200])
        return redirect(provider)
    code = request.GET.get("code", "")
    try:
        oauth.exchange(provider, code, pending["verifier"], pending["redirect_uri"])
    except oauth.TokenError as error:
        messages.error(request, str(error))
        return redirect(provider)
    provider.set_status(ModelProvider.Status.PENDING)
    messages.success(request, _("%s is connected.") % provider.name)
    return redirect(provider)

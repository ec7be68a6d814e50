"""The document for programs, and the page for people."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from providers import snippets
from providers.api.access import workspace_api
from runagents.reference.document import document


@workspace_api("GET")
def openapi(request: HttpRequest) -> HttpResponse:
    """Show this document."""
    return JsonResponse(document(snippets.base_url(request)))


@login_required
@require_safe
def reference_file(request: HttpRequest) -> JsonResponse:
    """Return the same document to a browser."""
    return JsonResponse(document(snippets.base_url(request)))


@login_required
@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """Show the document as a table."""
    told = document(snippets.base_url(request))
    calls = [
        {"path": path, "method": method.upper(), **call}
        for path, methods in told["paths"].items()
        for method, call in methods.items()
    ]
    groups = [
        (tag["name"], [call for call in calls if tag["name"] in call["tags"]])
        for tag in told["tags"]
    ]
    return render(request, "reference.html", {"groups": groups, "told": told})

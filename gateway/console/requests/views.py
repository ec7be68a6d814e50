"""The Requests pages: the ledger as a list that stays fast, and one call in full."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gateway.console import replay
from gateway.console.requests import bodies, causes, facts, timeline
from gateway.console.requests.forms import FilterForm
from gateway.ledger import totals
from gateway.models import CallBody, UsageRecord
from providers import snippets
from providers.roles import Role, may

PAGE_SIZE = 50
ADDED_UP = ("session", "run")
"""Filters whose calls are added up: an index finds them, and they belong together."""
MOST_ADDED_UP = 10_000


@login_required
@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    """Show calls, newest first; `before` and `after` page by position, not by count.

    With `live` the newest page refreshes itself.
    """
    form = FilterForm(request.GET)
    rows = form.narrow(UsageRecord.objects.all())
    page = _page(rows, request.GET.get("before", ""), request.GET.get("after", ""))
    query = form.query()
    for way in ("older", "newer"):
        cursor = page.pop(f"{way}_cursor")
        key = "before" if way == "older" else "after"
        page[way] = cursor and f"?{urlencode({**query, key: cursor})}"
    is_newest = not page["newer"]
    context = {
        "form": form,
        "is_filtered": bool(query),
        "is_newest": is_newest,
        "is_live": is_newest and "live" in request.GET,
        # The first call of all appears by itself.
        "polls": is_newest
        and ("live" in request.GET or not (page["records"] or query)),
        "query": urlencode(query),
        **page,
    }
    if not query.keys().isdisjoint(ADDED_UP):
        context["totals"] = totals.of_newest(rows, MOST_ADDED_UP)
        context["most_added_up"] = MOST_ADDED_UP
    if not page["records"]:
        base = snippets.base_url(request)
        context["examples"] = snippets.examples(base, "gpt-4o-mini")
    return render(request, "gateway/request_list.html", context)


@login_required
@require_safe
def request_detail(request: HttpRequest, call_id: str) -> HttpResponse:
    """Show one call: when, who, what, and how it ended.

    With `new` a call that is not stored yet is waited for: rows follow their calls by
    a second or two.
    """
    record = UsageRecord.objects.filter(call_id=call_id).first()
    if record is None:
        if "new" not in request.GET:
            raise Http404
        return render(request, "gateway/request_pending.html", status=202)
    body, search = None, request.GET.get("find", "")
    if may(request.user, Role.OPERATOR):
        body = CallBody.objects.filter(call_id=call_id).first()
    texts = bodies.shown(body, search) if body else []
    stages = timeline.stages(record)
    context = {
        "record": record,
        "course": {stage.key: stage for stage in stages},
        "bar": timeline.bar(stages),
        "bar_size": (timeline.WIDTH, timeline.HEIGHT),
        "cause": causes.explain(record),
        "details": facts.details(record),
        "body": body,
        "may_replay": record.door not in replay.WITHOUT_TURNS,
        "bodies": texts,
        "search": search.strip()[: bodies.LONGEST_SEARCH],
        "hits": sum(each.hits for each in texts),
    }
    return render(request, "gateway/request_detail.html", context)


def _page(rows: QuerySet[UsageRecord], before: str, after: str) -> dict[str, Any]:
    """Return one page of `rows` and the cursors of its neighbours."""
    if after and (position := _position(after)):
        moment, pk = position
        newer = Q(started_at__gt=moment) | Q(started_at=moment, pk__gt=pk)
        found = list(
            rows.filter(started_at__gte=moment)
            .filter(newer)
            .order_by("started_at", "pk")[: PAGE_SIZE + 1]
        )
        more_newer, more_older = len(found) > PAGE_SIZE, True
        found = found[:PAGE_SIZE][::-1]
    else:
        position = _position(before) if before else None
        if position:
            moment, pk = position
            # The range alone would do for the index; the pair settles equal times.
            older = Q(started_at__lt=moment) | Q(started_at=moment, pk__lt=pk)
            rows = rows.filter(started_at__lte=moment).filter(older)
        found = list(rows.order_by("-started_at", "-pk")[: PAGE_SIZE + 1])
        more_newer, more_older = position is not None, len(found) > PAGE_SIZE
        found = found[:PAGE_SIZE]
    return {
        "records": found,
        "newer_cursor": _cursor(found[0]) if found and more_newer else "",
        "older_cursor": _cursor(found[-1]) if found and more_older else "",
    }


def _cursor(record: UsageRecord) -> str:
    text = f"{record.started_at.isoformat()} {record.pk}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, int] | None:
    """Return what `_cursor` was made of; None for text that is no cursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, _, pk = urlsafe_b64decode(padded).decode().partition(" ")
        at = datetime.fromisoformat(moment)
        # Near the ends of the calendar a time may have no counterpart in UTC.
        return (at.astimezone(UTC), int(pk)) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None

"""The list of requests as a file: CSV for spreadsheets, JSON for programs."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from gateway.console import csv_files
from gateway.console.requests.forms import FilterForm
from gateway.models import UsageRecord
from gateway.wire import jsontext
from providers.database import in_thread
from providers.models.announced import exported

MOST_ROWS = 100_000
ROWS_AT_ONCE = 500
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
COLUMNS = tuple(
    field.name
    for field in UsageRecord._meta.concrete_fields
    if field.name not in {"id", "failed", "key_hint"}
)


@login_required
@require_safe
def request_file(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Return the calls that pass the filters, newest first, MOST_ROWS at the most.

    `kind` is "csv", a line each, or "json", an array of objects.
    """
    if kind not in MEDIA_TYPES:
        raise Http404
    rows = FilterForm(request.GET).narrow(UsageRecord.objects.all())
    exported.send(sender=request_file, what="requests")
    return StreamingHttpResponse(
        _file(_batches(rows), kind),
        content_type=MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="requests.{kind}"'},
    )


def _batches(rows: QuerySet[UsageRecord]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield rows as tuples of COLUMNS; each batch is read when it is asked for.

    By number, which grows with time: no batch is a longer way than the one before.
    """
    below = None
    for _ in range(MOST_ROWS // ROWS_AT_ONCE):
        some = rows if below is None else rows.filter(pk__lt=below)
        found = list(some.order_by("-pk").values_list("pk", *COLUMNS)[:ROWS_AT_ONCE])
        if not found:
            return
        below = found[-1][0]
        yield [values for _pk, *values in found]


async def _file(
    batches: Iterator[list[tuple[Any, ...]]], kind: str
) -> AsyncIterator[str]:
    """Yield the file piece by piece; none is made before the one before it is sent."""
    yield csv_files.lines([COLUMNS]) if kind == "csv" else "["
    is_first = True
    while (batch := await in_thread(lambda: next(batches, None))) is not None:
        if kind == "csv":
            yield csv_files.lines(map(_csv_line, batch))
        else:
            yield ("" if is_first else ",") + ",\n".join(map(_json_object, batch))
        is_first = False
    if kind == "json":
        yield "]\n"


def _csv_line(values: tuple[Any, ...]) -> list[Any]:
    return [csv_files.inert(_text(_plain(value))) for value in values]


def _text(value: Any) -> Any:
    """Return what is more than one value as JSON, which a cell has room for."""
    return jsontext.dumps(value) if isinstance(value, dict | list) else value


def _json_object(values: tuple[Any, ...]) -> str:
    return jsontext.dumps(dict(zip(COLUMNS, map(_plain, values), strict=True)))


def _plain(value: Any) -> Any:
    """Return a column's value as both kinds of file hold it."""
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
    return value

"""Server-sent events of HTML: each replaces what htmx's `sse` extension shows.

Asynchronous views answer a form with them; without scripts the same form gets a page.
"""

from collections.abc import AsyncIterator

from django.http import HttpRequest, StreamingHttpResponse

CONTENT_TYPE = "text/event-stream"


def wants_events(request: HttpRequest) -> bool:
    """Tell whether the browser's script asked, which can show events."""
    return CONTENT_TYPE in request.headers.get("Accept", "")


def event(html: str) -> bytes:
    """Return one event whose data is `html`.

    >>> event("<p>one\\ntwo</p>")
    b'data: <p>one\\ndata: two</p>\\n\\n'
    """
    lines = html.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "".join([*(f"data: {line}\n" for line in lines), "\n"]).encode()


def event_stream(events: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """Return the answer that sends `events` as they come."""
    return StreamingHttpResponse(
        events,
        content_type=f"{CONTENT_TYPE}; charset=utf-8",
        headers={
            "Cache-Control": "no-store, no-transform",
            # Proxies that collect answers would make it come all at once.
            "X-Accel-Buffering": "no",
        },
    )

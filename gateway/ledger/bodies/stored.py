"""What is kept of the bodies of calls becomes rows of its own."""

from datetime import UTC, datetime
from typing import Any

from gateway.ledger.bodies import bodies_log
from gateway.ledger.bodies.joined_frames import joined
from gateway.models import CallBody
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON


def store_bodies(lines: list[JSON]) -> None:
    """Keep what was asked and sent, for those calls that carry it.

    Raises django.db.Error.
    """
    rows = [
        CallBody(
            call_id=line["call_id"],
            stored_at=datetime.now(UTC),
            asked=bodies_log.kept(line["bodies"].get("asked")),
            sent=bodies_log.kept(line["bodies"].get("sent")),
            sent_path=str(line["bodies"].get("path", ""))[:2048],
            received=bodies_log.kept(_parsed(line["received"]))
            if "received" in line
            else "",
            answered=_answer(line),
        )
        for line in lines
        if isinstance(line.get("bodies"), dict)
    ]
    if rows:
        CallBody.objects.bulk_create(rows, ignore_conflicts=True)


def _answer(line: JSON) -> str:
    """Return what the client got as the text to keep, empty where there was nothing."""
    if "answered" in line:
        return bodies_log.kept(line["answered"])
    if frames := line.get("frames"):
        return bodies_log.kept(joined(str(frames)))
    return ""


def _parsed(text: Any) -> Any:
    """Return the JSON that `text` is, or the text."""
    try:
        return jsontext.decode(str(text).encode())
    except jsontext.JSONError:
        return text

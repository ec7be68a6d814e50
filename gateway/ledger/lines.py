"""The lines of a spool file: how a call is written down and read again, in no time.

What a call did before it ends is kept as an object, for the one in ten thousand whose
process dies. Its end is an array of all that the row holds, in the order of the table,
so that neither side builds or looks up names: 4 µs a call for writer and reader
together, where two objects took 9. The first line of a file names the columns, so that
any version reads what any other left behind.

    {"columns": ["call_id", "request_id", ...]}
    {"begin": "018f...", "started_at": 1790000000.0, ...}
    ["018f...", "req_1", ...]

A call that has more to tell than the table has columns (its bodies) ends in an object,
``{"end": ID, ...}``, as all did once; what its begin told holds where the end does not
say otherwise.
"""

from collections.abc import Callable
from typing import Any

from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

BLANK: JSON = {
    "call_id": "",
    "request_id": "",
    "started_at": 0.0,
    "caller": "",
    "caller_kind": "",
    "key_hint": "",
    "end_user_id": "",
    "run_id": "",
    "door": "chat",
    "client": "",
    "session_id": "",
    "agent_id": "",
    "request_class": "",
    "provider": "",
    "model": "",
    "upstream_model": "",
    "stream": False,
    "outcome": "ok",
    "failed": False,
    "status": None,
    "upstream_status": None,
    "sent_again": False,
    "error_code": "",
    "error_message": "",
    "finish_reason": "",
    "input_tokens": None,
    "output_tokens": None,
    "cached_tokens": None,
    "cache_write_tokens": None,
    "reasoning_tokens": None,
    "estimated": False,
    "routed_ms": None,
    "upstream_ms": None,
    "first_byte_ms": None,
    "duration_ms": None,
    "cost": None,
    "dropped": [],
    "downgraded": [],
    "details": {},
    "upstream_request_id": "",
    "calls": None,
    # What only the price asks for.
    "provider_type": "",
    "endpoint": "",
    "prices": None,
    "cache_write_1h_tokens": None,
}
"""What a call that tells nothing comes to: the table's columns, then what is no column
of it. `failed` and `cost` are found out when the row is made."""

COLUMNS = tuple(BLANK)
PLACES = {name: place for place, name in enumerate(COLUMNS)}

Row = list[Any]
"""A call's values in the order of `COLUMNS`."""
Line = Row | JSON
"""All that is known of a call that ended."""

HEAD = jsontext.encode({"columns": COLUMNS}) + b"\n"
"""The first line of a file."""

_ARRAY = b"["[0]
_BEGIN = b'{"begin":"'


def begin(call_id: str, fields: JSON) -> bytes:
    """Return the line of a call that is about to go upstream; `fields` tell of it."""
    return b'%b%b",%b\n' % (_BEGIN, call_id.encode(), jsontext.encode(fields)[1:])


def row(call_id: str, fields: JSON) -> Row | None:
    """Return all that `fields` tell of a call that ended; None where it is no row."""
    values = BLANK.copy()
    values.update(fields)
    values["call_id"] = call_id
    if len(values) > len(COLUMNS):
        return None
    return [*values.values()]


def end(values: Row) -> bytes:
    """Return the line of a call that ended."""
    return jsontext.encode(values) + b"\n"


def rest(call_id: str, fields: JSON) -> bytes:
    """Return the line of a call that ended, of which `begin` has told what is not here.

    For what a table has no columns for, such as the call's bodies.
    """
    return jsontext.encode({"end": call_id, **fields}) + b"\n"


class Reading:
    """One file as far as it has been read; pure.

    `offset` is where to go on, `begun` holds the begins of calls that have not ended.
    """

    def __init__(self, begin_of: Callable[[str], bytes | None]) -> None:
        """`begin_of` finds a begin, which may stand in another file of the process."""
        self.offset = 0
        self.begun: dict[str, bytes] = {}
        self._begin_of = begin_of
        self._columns = COLUMNS

    def read(self, raw: bytes) -> Line | None:
        """Return the call that a line ends, None for other lines.

        Raises jsontext.JSONError or ValueError for a line that is unreadable.
        """
        if raw[0] == _ARRAY:
            row: Row = jsontext.decode(raw)
            if len(row) != len(self._columns):
                raise ValueError("a value for each column is expected")
            if self._columns is COLUMNS:
                return row
            return dict(zip(self._columns, row, strict=True))
        if raw.startswith(_BEGIN):
            self.begun[raw[len(_BEGIN) : raw.index(b'"', len(_BEGIN))].decode()] = raw
            return None
        return self._read_object(jsontext.decode(raw))

    def _read_object(self, line: Any) -> JSON | None:
        match line:
            case {"columns": list() as columns}:
                self._columns = COLUMNS if columns == [*COLUMNS] else tuple(columns)
            case {"end": str() as call_id}:
                begin = self._begin_of(call_id)
                del line["end"]
                return {"call_id": call_id, **(opened(begin) if begin else {}), **line}
        return None


def opened(begin: bytes) -> JSON:
    """Return what the first line of a call tells; raises jsontext.JSONError."""
    line: JSON = jsontext.decode(begin)
    return {"call_id": line.pop("begin"), **line}


def named(line: Line) -> JSON:
    """Return a call's values by their names."""
    return line if isinstance(line, dict) else dict(zip(COLUMNS, line, strict=True))


def value(line: Line, name: str) -> Any:
    """Return one of a call's values by its name."""
    if isinstance(line, dict):
        return line.get(name, BLANK[name])
    return line[PLACES[name]]

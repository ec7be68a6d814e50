"""A provider and a model for each way in which an upstream goes wrong."""

import json
from typing import Any

from tests.e2e import registries
from tests.faults import COMPLETION, EVENT, Answer, FaultServer, json_answer

MIB = 1 << 20

WHOLE = {
    "reset": (502, "upstream_stream_truncated"),
    "hang-up": (502, "upstream_stream_truncated"),
    "short": (502, "upstream_stream_truncated"),
    "garbage": (502, "upstream_invalid_response"),
    "garbage-chunk": (502, "upstream_invalid_response"),
    "half-json": (502, "upstream_invalid_response"),
    "html": (502, "upstream_invalid_response"),
    "empty": (502, "upstream_invalid_response"),
    "no-content": (502, "upstream_invalid_response"),
    "switch": (502, "upstream_invalid_response"),
    "gzip-bomb": (502, "upstream_invalid_response"),
    "redirect": (502, "upstream_invalid_response"),
    "unauthorized": (502, "upstream_auth_error"),
    "overloaded": (503, "overloaded"),
    "rate-limited": (429, "rate_limit_exceeded"),
    "stall": (504, "upstream_timeout"),
    "refused": (502, "upstream_unreachable"),
    "no-such-name": (502, "upstream_unreachable"),
    "no-tls": (502, "upstream_unreachable"),
}
"""Faults before anything was said, and what the client gets for them."""

HEAVY = {
    "huge": (502, "upstream_invalid_response"),
    "endless-headers": (502, "upstream_invalid_response"),
}

STREAMED = {
    **{name: answer for name, answer in WHOLE.items() if name != "half-json"},
    "empty": (502, "upstream_stream_truncated"),
    "gzip-bomb": (502, "upstream_stream_truncated"),
    "half-event": (502, "upstream_invalid_response"),
    "error-first": (503, "overloaded"),
}
"""The same for streams, as long as no event has come."""

FRAMES = {
    "cut": "upstream_stream_truncated",
    "no-end-marker": "upstream_stream_truncated",
    "silence": "upstream_timeout",
    "error-in-stream": "upstream_error",
    "then-garbage": "upstream_stream_truncated",
    "then-half-json": "upstream_invalid_response",
}
"""Faults after the first event: a frame in the stream tells them."""

TIMEOUTS = {
    "stall": {"first_byte": 1},
    "silence": {"silence": 1},
    "no-tls": {"connect": 1},
    "no-such-name": {"connect": 2},
}

ERROR = {"error": {"message": "Overloaded.", "type": "overloaded_error"}}
BODIES = {
    "half-event": b'data: {"id": "chatcmpl-1", "cho\n\n',
    "error-first": b"data: " + json.dumps(ERROR).encode() + b"\n\n",
    "then-garbage": EVENT + b"data: \x00\xff\xfe garbage\n\n",
    "then-half-json": EVENT + b'data: {"id": "chatcmpl-1", "cho\n\n',
    "then-long-line": EVENT + b"data: " + b"x" * (10 * MIB) + b"\n\n",
}


def install(upstream: FaultServer) -> None:
    """Have `upstream` answer what `providers` of it are asked."""
    for name, body in BODIES.items():
        answer = Answer(200, body, {"content-type": "text/event-stream"})
        upstream.answers[f"/{name}/v1/chat/completions"] = answer
    upstream.answers["/good/v1/chat/completions"] = json_answer(COMPLETION)


def providers(upstream: FaultServer, refused: int) -> list[dict[str, Any]]:
    """Return the providers, one for each fault, and a good one; `refused` is a port."""
    by_header = {*WHOLE, *HEAVY, *FRAMES, "long-line"} - {*BODIES}
    addresses = {
        "refused": f"http://127.0.0.1:{refused}",
        "no-such-name": "https://nothing.invalid",
        "no-tls": upstream.url.replace("http:", "https:"),
    }
    rows = [
        registries.openai(
            name,
            addresses.get(name, upstream.url),
            name,
            extra_headers={"x-fault": name},
            timeouts=TIMEOUTS.get(name, {"connect": 30}),
        )
        for name in sorted(by_header)
    ]
    for name in [*BODIES, "good"]:
        rows.append(registries.openai(name, f"{upstream.url}/{name}", name))
    return rows

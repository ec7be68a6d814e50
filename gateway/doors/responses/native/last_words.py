"""The last events of a stream that was passed on, where its upstream left them out.

They are numbered as if the upstream had sent them.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

from gateway.doors.responses.errors import failed_error, stream_error
from gateway.doors.responses.streams.frames import DONE, Frames
from gateway.errors import GatewayError
from gateway.hub.protocol import JSON

_WITHOUT: JSON = {
    "instructions": None,
    "incomplete_details": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "usage": None,
}
"""What a failed response tells besides: nothing that it repeats is known here."""


def failure(
    error: GatewayError, head: JSON, number: int, *, announced: bool, is_codex: bool
) -> bytes:
    """Return the events that end a stream which `error` cut short.

    `head` has the response's id, model, time and whole items; `number` is that of the
    next event. With `announced` the error itself has been told.
    """
    frames = Frames(number)
    if not announced:
        frames.add("error", stream_error(error))
    response = {
        **_WITHOUT,
        **head,
        "object": "response",
        "status": "failed",
        "error": failed_error(error, is_codex=is_codex),
    }
    frames.add("response.failed", {"response": response})
    return frames.take() + DONE

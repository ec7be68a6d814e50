"""Every stream that a test of the gateway reads is held to the grammar of its door.

What an upstream said itself is passed on as it is, right or wrong: only what was
written here is looked at.
"""

import httpx

from tests.grammar import messages, responses

OUR_RESPONSE = b'"id":"resp_g1'
A_MESSAGE, OUR_MESSAGE = b"message_start", b"cache_creation_input_tokens"
"""The gateway tells all counts of a message; upstreams of tests tell what they like."""


def check(answer: httpx.Response) -> None:
    """Check an answer where it is a stream of a door that has a grammar."""
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        return
    path = answer.request.url.path
    if "/responses" in path and OUR_RESPONSE in answer.content:
        responses.check(answer.content)
    elif "/messages" in path and _is_ours(answer.content):
        messages.checked(answer.content)


def _is_ours(stream: bytes) -> bool:
    """Tell whether a message was written here, or a failure before there was any."""
    return OUR_MESSAGE in stream or A_MESSAGE not in stream

"""OpenAI's and xAI's own models on Bedrock: OpenAI's format under another path.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html
"""

from collections.abc import Mapping
from typing import Any

from gateway.hub.answers.calls.ids import CallIds
from gateway.hub.protocol import (
    JSON,
    Reply,
    Route,
    UpstreamRequest,
)
from gateway.hub.requests.losses import Losses
from gateway.translators import openai
from gateway.translators.bedrock.headers import guardrail_headers
from gateway.translators.bedrock.ids import NATIVE_PATH
from gateway.translators.bedrock.stream import GUARDRAIL_ACTION

# Refused by models that reason, unless they are told not to.
_SAMPLING = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
    "top_logprobs",
)


def render_request(body: JSON, route: Route) -> UpstreamRequest:
    """Return the request for OpenAI's path on the same host."""
    losses = Losses(route)
    if route.base_model.startswith("xai.") and body.get("reasoning_effort") == "none":
        # Grok always reasons.
        losses.drop("reasoning_effort")
        body = {key: body[key] for key in body if key != "reasoning_effort"}
    if body.get("reasoning_effort") != "none":
        for name in _SAMPLING:
            if body.get(name) is not None:
                losses.drop(name)
        body = {key: value for key, value in body.items() if key not in _SAMPLING}
    request, reply = openai.render_body(body, route, losses)
    if "max_tokens" in request and not route.options.get("max_tokens_field"):
        # Models that reason refuse the older name of the limit.
        limit = request.pop("max_tokens")
        request.setdefault("max_completion_tokens", limit)
    accept = "text/event-stream" if reply.stream else "application/json"
    return UpstreamRequest(
        NATIVE_PATH,
        request,
        reply._replace(wire="native"),
        {"accept": accept, **guardrail_headers(route)},
        losses.dropped,
    )


def parse_response(payload: JSON, headers: Mapping[str, str], reply: Reply) -> JSON:
    """Return the answer with ids of tool calls that no other answer has."""
    completion = openai.parse_response(payload, headers, reply)
    ids = CallIds(reply)
    choices = [_with_ids(choice, ids) for choice in completion["choices"]]
    if payload.get(GUARDRAIL_ACTION) == "INTERVENED":
        choices = [{**choice, "finish_reason": "content_filter"} for choice in choices]
    return {**completion, "choices": choices}


def _with_ids(choice: JSON, ids: CallIds) -> JSON:
    calls = choice["message"].get("tool_calls")
    if not isinstance(calls, list):
        return choice
    message = {
        **choice["message"],
        "tool_calls": [_with_id(call, ids) for call in calls],
    }
    return {**choice, "message": message}


def _with_id(call: Any, ids: CallIds) -> Any:
    return {**call, "id": ids.take(call.get("id"))} if isinstance(call, dict) else call


class NativeStream:
    """A stream in OpenAI's format whose tool calls get ids of their own.

    Bedrock counts them from nought in every answer, so that those of two turns of one
    conversation would be the same.
    """

    def __init__(self, reply: Reply) -> None:
        self._parser = openai.stream_parser(reply)
        self.state = self._parser.state
        self._ids = CallIds(reply)

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks that `data` completes."""
        return self._given(self._parser.feed(data))

    def close(self) -> list[JSON]:
        """End of input."""
        return self._given(self._parser.close())

    def _given(self, chunks: list[JSON]) -> list[JSON]:
        return [self._renamed(chunk) for chunk in chunks]

    def _renamed(self, chunk: JSON) -> JSON:
        match chunk:
            case {"choices": [{"delta": {"tool_calls": [*calls]}}, *_]}:
                for call in calls:
                    if isinstance(call, dict) and call.get("id") is not None:
                        call["id"] = self._ids.take(call["id"])
        return chunk

"""Nova over InvokeModel: Converse's blocks in a body of its own.

https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
"""

from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.protocol import JSON, Learned, Reply
from gateway.hub.requests.rendering import Rendering
from gateway.translators.bedrock.converse.request import (
    nova_reasoning,
    render_parts,
    tool_config,
)
from gateway.translators.bedrock.converse.stream import ConverseReader


def render(rendering: Rendering) -> tuple[JSON, Learned]:
    """Return the body and what its answer's parser must know.

    Raises `GatewayError` (400) for what cannot be expressed, documents among it.
    """
    parts = render_parts(rendering, takes_documents=False)
    rendered: JSON = {"schemaVersion": "messages-v1"}
    if parts.conversation.system:
        rendered["system"] = parts.conversation.system
    rendered["messages"] = parts.conversation.turns
    inference = dict(parts.inference)
    tools = tool_config(parts.tooling)
    if parts.top_k is not None:
        inference["topK"] = parts.top_k
    elif tools is not None and "temperature" not in rendering.body and not parts.effort:
        # Nova calls tools reliably only when it decodes greedily:
        # https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html
        inference["topK"] = 1
    if inference:
        rendered["inferenceConfig"] = inference
    if tools is not None:
        rendered["toolConfig"] = tools
    if parts.effort:
        rendered["reasoningConfig"] = nova_reasoning(parts.effort)
    return rendered, parts.learned


class NovaReader:
    """Reads Converse's events out of the objects that Nova streams."""

    def __init__(self, reply: Reply, writer: AnswerWriter) -> None:
        self._events = ConverseReader(reply, writer)

    def read(self, body: JSON) -> None:
        """Take in one object: an event under its name."""
        for name, payload in body.items():
            if isinstance(payload, dict):
                self._events.read(name, payload)

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        self._events.close()

"""What Bedrock answered, family by family."""

import base64
import json
from collections.abc import Iterator

from botocore.eventstream import EventStreamBuffer

from gateway.translators.bedrock.ids import classify
from tests.recordings.traffic import JSON, body_of, records

FINISH_REASONS = {
    "end_turn": "stop",
    "stop": "stop",
    "stop_sequence": "stop",
    "FINISH": "stop",
    "COMPLETE": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "length": "length",
    "LENGTH": "length",
    "guardrail_intervened": "content_filter",
}

RETIRED = {
    "ai21.j2-": "Jurassic had a body of its own",
    "cohere.command-text-": "Command answered with `generations`",
    "cohere.command-light-text-": "Command answered with `generations`",
    "anthropic.claude-v2": "Claude 2 is refused by name",
    "anthropic.claude-instant": "Claude Instant is refused by name",
}
"""Models that AWS does not offer any more and the gateway does not speak to."""


def exchanges() -> list[JSON]:
    """Return the records of answers by models, retired ones too."""
    return [r for r in records("bedrock") if r["operation"] != "count-tokens"]


def is_retired(record: JSON) -> bool:
    """Say whether a record is of a model that is gone, asked in its own format."""
    is_invoke = str(record["operation"]).startswith("invoke")
    return is_invoke and str(record["model"]).startswith(tuple(RETIRED))


def chats() -> list[JSON]:
    """Return the records of answers in a form that is still spoken.

    Some of Claude 2 are among them: it knew the Messages API already.
    """
    return [
        record
        for record in exchanges()
        if not (is_retired(record) and "claude" not in record["model"])
        # Claude's text completions, replaced by Messages in 2024.
        and '"completion":' not in _readable(record)
    ]


def _readable(record: JSON) -> str:
    """Return everything that the answer says as JSON text."""
    if record["response"]["status"] != 200 or "body_b64" not in record["response"]:
        return str(record["response"].get("body_text", ""))
    return json.dumps([event for _, event in events_of(record)])


def events_of(record: JSON) -> Iterator[tuple[str, JSON]]:
    """Yield the name and the JSON of every frame, InvokeModel's chunks unwrapped."""
    buffer = EventStreamBuffer()
    buffer.add_data(body_of(record))
    for frame in buffer:
        event = json.loads(frame.payload)
        if "bytes" in event:
            event = json.loads(base64.b64decode(event["bytes"]))
        yield frame.headers[":event-type"], event


def family_of(record: JSON) -> str:
    """Return the reader's name; Llama 2 and Claude 2 answered in their heirs' form."""
    if record["operation"].startswith("converse"):
        return "converse"
    family = classify(record["model"]).family
    if family == "claude-legacy":
        return "claude"
    return "llama" if record["model"].startswith("meta.") else family


class Reading:
    """What an answer says; `native` is the family's own word for the end."""

    def __init__(self) -> None:
        self.text, self.reasoning = "", ""
        self.calls: list[tuple[str, JSON]] = []
        self.native: str | None = None
        self.prompt: int | None = None
        self.output: int | None = None
        self.is_filtered = False

    def converse_block(self, block: JSON) -> None:
        """Take in a block of Converse or Nova."""
        if "text" in block:
            self.text += block["text"]
        if "citationsContent" in block:
            parts = block["citationsContent"].get("content", [])
            self.text += "".join(part["text"] for part in parts)
        if "reasoningContent" in block:
            said = block["reasoningContent"].get("reasoningText", {}).get("text", "")
            self.reasoning += "" if said == "[REDACTED]" else said
        use = block.get("toolUse")
        if use and use.get("type") != "server_tool_use":
            self.calls.append((use["name"], use["input"]))

    def count(self, usage: JSON) -> None:
        """Take in the usage of Converse or Nova."""
        cached = [
            usage.get(name) or 0
            for name in (
                ("cacheReadInputTokens", "cacheWriteInputTokens")
                if "cacheReadInputTokens" in usage
                else ("cacheReadInputTokenCount", "cacheWriteInputTokenCount")
            )
        ]
        self.prompt = usage["inputTokens"] + sum(cached)
        self.output = usage["outputTokens"]

    def claude_usage(self, usage: JSON) -> None:
        """Take in the usage of Claude."""
        names = (
            "input_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        )
        self.prompt = sum(usage.get(name) or 0 for name in names)
        self.output = usage["output_tokens"]


def _is_filtered(body: JSON) -> bool:
    return body.get("amazon-bedrock-guardrailAction") == "INTERVENED"


def read_whole(record: JSON) -> Reading:
    """Read an answer that came whole."""
    reading = Reading()
    body = json.loads(body_of(record))
    reading.is_filtered = _is_filtered(body)
    headers = record["response"]["headers"]
    match family_of(record):
        case "converse" | "nova":
            for block in body["output"]["message"]["content"]:
                reading.converse_block(block)
            reading.native = body["stopReason"]
            reading.count(body["usage"])
        case "claude":
            for block in body["content"]:
                if block["type"] == "text":
                    reading.text += block["text"]
                if block["type"] == "tool_use":
                    reading.calls.append((block["name"], block["input"]))
                if block["type"] == "thinking":
                    reading.reasoning += block["thinking"]
            reading.native = body["stop_reason"]
            reading.claude_usage(body["usage"])
        case "llama":
            reading.text, reading.native = body["generation"], body["stop_reason"]
            reading.prompt = body["prompt_token_count"]
            reading.output = body["generation_token_count"]
        case "titan":
            result = body["results"][0]
            reading.text = result["outputText"]
            reading.native = result["completionReason"]
            reading.prompt = body["inputTextTokenCount"]
            reading.output = result["tokenCount"]
        case "mistral-text":
            reading.text = body["outputs"][0]["text"]
            reading.native = body["outputs"][0]["stop_reason"]
        case "cohere":
            reading.text, reading.native = body["text"], body["finish_reason"]
        case "oai":
            choice = body["choices"][0]
            reading.text = choice["message"]["content"]
            reading.native = choice["finish_reason"]
            reading.prompt = body["usage"]["prompt_tokens"]
            reading.output = body["usage"]["completion_tokens"]
    if reading.prompt is None and "x-amzn-bedrock-input-token-count" in headers:
        reading.prompt = int(headers["x-amzn-bedrock-input-token-count"])
        reading.output = int(headers["x-amzn-bedrock-output-token-count"])
    return reading


def read_stream(record: JSON) -> Reading:
    """Read an answer that was streamed."""
    reading, family = Reading(), family_of(record)
    blocks: dict[int, JSON] = {}
    usage: JSON = {}
    for name, event in events_of(record):
        reading.is_filtered = reading.is_filtered or _is_filtered(event)
        metrics = event.get("amazon-bedrock-invocationMetrics")
        if metrics:
            reading.prompt = metrics["inputTokenCount"]
            reading.output = metrics["outputTokenCount"]
        match family:
            case "converse":
                _converse_event(reading, blocks, name, event)
            case "nova":
                for inner in event:
                    _converse_event(reading, blocks, inner, event[inner])
            case "claude":
                _claude_event(reading, blocks, usage, event)
            case "llama":
                reading.text += event["generation"]
                reading.native = event["stop_reason"]
            case "titan":
                reading.text += event["outputText"]
                reading.native = event.get("completionReason")
            case "mistral-text":
                reading.text += event["outputs"][0]["text"]
                reading.native = event["outputs"][0]["stop_reason"]
            case "cohere":
                reading.text += event.get("text", "")
                reading.native = event.get("finish_reason", reading.native)
    for _, block in sorted(blocks.items()):
        if "name" in block:
            reading.calls.append((block["name"], json.loads(block["json"] or "{}")))
    if usage:
        reading.claude_usage(usage)
    return reading


def _converse_event(
    reading: Reading, blocks: dict[int, JSON], name: str, event: JSON
) -> None:
    if name == "contentBlockStart" and "toolUse" in event["start"]:
        use = event["start"]["toolUse"]
        if use.get("type") != "server_tool_use":
            place = event["contentBlockIndex"]
            blocks[place] = {"name": use["name"], "json": ""}
    if name == "contentBlockDelta":
        delta = event["delta"]
        reading.text += delta.get("text", "")
        reasoning = delta.get("reasoningContent", {}).get("text", "")
        reading.reasoning += "" if reasoning == "[REDACTED]" else reasoning
        if "toolUse" in delta and event["contentBlockIndex"] in blocks:
            blocks[event["contentBlockIndex"]]["json"] += delta["toolUse"]["input"]
    if name == "messageStop":
        reading.native = event["stopReason"]
    if name == "metadata":
        reading.count(event["usage"])


def _claude_event(
    reading: Reading, blocks: dict[int, JSON], usage: JSON, event: JSON
) -> None:
    match event["type"]:
        case "message_start":
            usage.update(event["message"]["usage"])
        case "content_block_start" if event["content_block"]["type"] == "tool_use":
            block = event["content_block"]
            blocks[event["index"]] = {"name": block["name"], "json": ""}
        case "content_block_delta":
            delta = event["delta"]
            reading.text += delta.get("text", "")
            reading.reasoning += delta.get("thinking", "")
            if "partial_json" in delta:
                blocks[event["index"]]["json"] += delta["partial_json"]
        case "message_delta":
            usage.update(event.get("usage") or {})
            reading.native = event["delta"]["stop_reason"]


def finish_of(reading: Reading) -> str:
    """Return the finish reason that OpenAI's clients must see."""
    if reading.is_filtered:
        return "content_filter"
    expected = FINISH_REASONS[reading.native or ""]
    if expected in ("stop", "tool_calls"):
        return "tool_calls" if reading.calls else "stop"
    return expected


_REFUSALS = (
    ("InvalidSignatureException", (502, "upstream_auth_error")),
    ("AccessDeniedException", (403, "model_access_denied")),
    ("model identifier is invalid", (404, "model_not_found")),
    ("Input Tokens Exceeded", (400, "context_length_exceeded")),
    (" field. Remove ", (400, "unsupported_parameter")),
    ("extraneous key [", (400, "unsupported_parameter")),
)


def refusal_of(record: JSON) -> tuple[int, str | None]:
    """Return the status and code that a client of the gateway must see."""
    response = record["response"]
    kind = response["headers"].get("x-amzn-errortype", "")
    for sign, expected in _REFUSALS:
        if sign in kind or sign in response["body_text"]:
            return expected
    return response["status"], None

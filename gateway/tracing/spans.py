"""One span for each call that is traced, sent to a collector by OTLP.

OpenTelemetry's packages are an extra, and imported where tracing is on alone. Whether a
call is traced is decided here and not by their sampler: what is not traced then costs
a random number, where a span that nobody records costs 10 µs.

Attributes follow the conventions for generative AI:
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

import random
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gateway.ledger.spool import Entry
from gateway.tracing.parents import Parent, headers, parent

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

VENDORS = {"bedrock": "aws.bedrock"}
"""What the conventions call a type of provider, where that is not our own name."""

OPERATIONS = {"embeddings": "embeddings", "completions": "text_completion"}
"""What a call by a door is called there; the others are chats."""

_SECOND = 1_000_000_000


class Trace:
    """The trace that a call belongs to; `span` is its own, where it is written down."""

    __slots__ = ("id", "span")

    def __init__(self, id: str, span: "Span | None" = None) -> None:
        self.id = id
        self.span = span


class Tracing:
    """Begins and ends the spans of one worker's calls."""

    def __init__(self) -> None:
        self._share = 0.0
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def start(
        self, exporter: "SpanExporter", share: float, resource: Mapping[str, str]
    ) -> None:
        """Trace that share of the calls which come without a trace of their own."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create(resource),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("runagents")
        self._share = share

    def stop(self) -> None:
        """Send what is left (blocking, for some seconds at the most)."""
        if self._provider is not None:
            self._provider.shutdown()
        self._provider = self._tracer = None

    def begin(
        self, entry: Entry, header_lists: Mapping[str, list[str]]
    ) -> dict[str, str]:
        """Begin the span of a call; return the headers that name it upstream.

        `header_lists` are the request's. What its caller does not write down is not
        written down here either, but goes on to the provider.
        """
        above = parent(header_lists) if "traceparent" in header_lists else None
        if above is None and (
            self._tracer is None or random.random() >= self._share  # noqa: S311
        ):
            return {}
        if above is not None and (self._tracer is None or not above.is_sampled):
            entry.trace = Trace(above.trace_id)
            return above.headers() if self._tracer is not None else {}
        return self._begin(entry, above)

    def end(self, entry: Entry) -> None:
        """End the span of a call that is over, where it has one."""
        if entry.trace is not None and entry.trace.span is not None:
            span, fields = entry.trace.span, entry.fields
            span.update_name(f"{_operation(fields)} {fields.get('model', '')}".strip())
            span.set_attributes(_attributes(entry))
            if fields["outcome"] != "ok":
                from opentelemetry.trace import Status, StatusCode

                why = str(fields.get("error_message", "")) or fields["outcome"]
                span.set_status(Status(StatusCode.ERROR, why))
            span.end()

    def _begin(self, entry: Entry, above: Parent | None) -> dict[str, str]:
        from opentelemetry import trace

        assert self._tracer is not None  # noqa: S101
        context = None
        if above is not None:
            remote = trace.SpanContext(
                int(above.trace_id, 16),
                int(above.span_id, 16),
                is_remote=True,
                trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
            )
            context = trace.set_span_in_context(trace.NonRecordingSpan(remote))
        began = time.time_ns() - entry.elapsed_ms() * (_SECOND // 1000)
        span = self._tracer.start_span(
            "call", context, trace.SpanKind.CLIENT, start_time=began
        )
        own = span.get_span_context()
        trace_id = format(own.trace_id, "032x")
        entry.trace = Trace(trace_id, span)
        state = above.state if above is not None else ""
        return headers(trace_id, format(own.span_id, "016x"), "01", state)


def _operation(fields: Mapping[str, Any]) -> str:
    return OPERATIONS.get(fields.get("door", ""), "chat")


def _attributes(entry: Entry) -> dict[str, Any]:
    """Return what the span tells of a call; neither what was asked nor answered."""
    fields = entry.fields
    kind = fields.get("provider_type", "")
    told = {
        "gen_ai.operation.name": _operation(fields),
        "gen_ai.provider.name": VENDORS.get(kind, kind),
        "gen_ai.request.model": fields.get("model"),
        "gen_ai.response.model": fields.get("upstream_model"),
        "gen_ai.usage.input_tokens": fields.get("input_tokens"),
        "gen_ai.usage.output_tokens": fields.get("output_tokens"),
        "gen_ai.conversation.id": fields.get("session_id"),
        "http.response.status_code": fields.get("status"),
        "error.type": fields.get("error_code"),
        "runagents.call_id": entry.call_id,
        "runagents.request_id": fields.get("request_id"),
        "runagents.caller": fields.get("caller"),
        "runagents.door": fields.get("door"),
        "runagents.provider": fields.get("provider"),
        "runagents.outcome": fields["outcome"],
        "runagents.time_to_first_byte_ms": fields.get("first_byte_ms"),
    }
    told = {name: value for name, value in told.items() if value not in (None, "")}
    if reason := fields.get("finish_reason"):
        told["gen_ai.response.finish_reasons"] = (reason,)
    return told


tracing = Tracing()
"""This worker's."""

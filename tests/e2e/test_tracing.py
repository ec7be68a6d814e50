"""Spans as a collector gets them, and lines of the log that belong together."""

import gzip
import http.server
import json
import threading

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from tests.e2e import dialects, registries
from tests.e2e.processes import PATIENCE, PLAIN, wait_until
from tests.e2e.replay import json_reply

pytestmark = pytest.mark.slow

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
WISH = "a wish that nobody else is to hear"


class Collector:
    """A server that keeps the spans which it is sent."""

    def __init__(self):
        self.spans = []
        self.resources = []
        self.status = 200
        keeper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                keeper.keep(ExportTraceServiceRequest.FromString(body))
                self.send_response(keeper.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *about):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def keep(self, sent):
        for resource in sent.resource_spans:
            self.resources.append(_told(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def span(self, call_id):
        """Return the span of a call once it has come."""
        assert wait_until(lambda: self._of(call_id), PATIENCE), call_id
        return self._of(call_id)[0]

    def _of(self, call_id):
        return [
            each
            for each in self.spans
            if _told(each.attributes).get("runagents.call_id") == call_id
        ]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def _told(attributes):
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value"))
        for each in attributes
    }


@pytest.fixture(scope="module")
def collector():
    made = Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def traced(server, replay, collector):
    dialects.install(replay)
    running = server(
        registries.registry(
            registries.openai("good", replay.url, "good"),
            registries.openai("bad", f"{replay.url}/bad", "bad"),
        ),
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_TRACES_SAMPLER_ARG="0",
        OTEL_BSP_SCHEDULE_DELAY="200",
        ACCESS_LOG="on",
    )
    replay.route("/bad", json_reply({"error": {"message": "no"}}, 500))
    return running


def _ask(traced, model="good", flags="01", **more):
    body = {"model": model, "messages": [{"role": "user", "content": WISH}], **more}
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"} if flags else {}
    return httpx.post(
        traced.chat_url, json=body, headers=headers, timeout=PATIENCE, **PLAIN
    )


def _line(traced, answer):
    """Return the line of the log that tells of a call."""
    wanted = answer.headers["x-request-id"]

    def found():
        return [
            line
            for line in map(json.loads, _json_lines(traced))
            if line["logger"] == "gateway.access" and line["request_id"] == wanted
        ]

    assert wait_until(found, PATIENCE)
    (line,) = found()
    return line


def _json_lines(traced):
    # One may be half written at this moment.
    whole = traced.log.rpartition("\n")[0]
    return [line for line in whole.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_call_is_a_span_in_its_callers_trace_and_above_the_providers(
    traced, replay, collector, stream
):
    replay.clear()
    answer = _ask(traced, stream=stream)
    assert answer.status_code == 200
    line = _line(traced, answer)
    span = collector.span(line["call_id"])
    assert span.trace_id.hex() == TRACE == line["trace_id"]
    assert span.parent_span_id.hex() == SPAN
    assert span.name == "chat good"
    assert span.end_time_unix_nano > span.start_time_unix_nano
    told = _told(span.attributes)
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.provider.name"] == "openai"
    assert told["gen_ai.request.model"] == "good"
    assert told["gen_ai.usage.input_tokens"] == line["input_tokens"] > 0
    assert told["runagents.outcome"] == line["outcome"] == "ok"
    assert WISH not in str(span)
    (call,) = replay.calls
    assert call.header("traceparent") == f"00-{TRACE}-{span.span_id.hex()}-01"
    assert collector.resources[-1]["service.name"] == "runagents-model-providers"


def test_a_call_that_fails_is_a_span_that_failed(traced, collector):
    answer = _ask(traced, "bad")
    span = collector.span(_line(traced, answer)["call_id"])
    assert span.status.code == span.status.STATUS_CODE_ERROR
    told = _told(span.attributes)
    assert told["http.response.status_code"] == answer.status_code
    assert told["error.type"] == _line(traced, answer)["error_code"]


def test_what_nobody_writes_down_goes_on_as_it_came(traced, replay, collector):
    replay.clear()
    unwritten = _ask(traced, flags="00")
    alone = _ask(traced, flags="")
    assert [call.header("traceparent") for call in replay.calls] == [
        f"00-{TRACE}-{SPAN}-00",
        None,
    ]
    # A later one has come: the earlier ones never will.
    later = _ask(traced)
    collector.span(_line(traced, later)["call_id"])
    for answer in (unwritten, alone):
        assert not collector._of(_line(traced, answer)["call_id"])


def test_a_bucket_names_a_trace_to_who_understands_it(traced):
    _ask(traced)
    wanted = "application/openmetrics-text; version=1.0.0"

    def is_named():
        told = traced.get("/metrics", headers={"accept": wanted}).text
        return f'# {{trace_id="{TRACE}"}}' in told

    assert wait_until(is_named, PATIENCE)


def test_a_collector_that_is_away_costs_no_call(traced, collector):
    collector.status = 503
    try:
        assert _ask(traced).status_code == 200
    finally:
        collector.status = 200


def test_lines_for_calls_come_and_go_while_the_server_runs(server, replay):
    dialects.install(replay)
    quiet = server(registries.registry(registries.openai("good", replay.url, "good")))

    def lines():
        return [line for line in _json_lines(quiet) if '"gateway.access"' in line]

    _ask(quiet)
    assert not lines()
    assert "gateway.access: INFO" in quiet.manage("loglevel", "gateway.access=info")
    assert wait_until(lambda: _ask(quiet) and lines(), PATIENCE)
    assert "as they were" in quiet.manage("loglevel", "gateway.access=default")

    def is_quiet():
        before = len(lines())
        _ask(quiet)
        return len(lines()) == before

    assert wait_until(is_quiet, PATIENCE)

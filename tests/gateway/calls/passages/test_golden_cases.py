"""Runs every folder of `cases/`: README.md there says what its files are."""

import json
from pathlib import Path

import pytest

from gateway.calls.passages import between
from gateway.doors import DOORS
from gateway.doors.protocol import Sent
from gateway.errors import GatewayError
from gateway.hub.protocol import Payload, Route
from gateway.translators import TRANSLATORS
from tests.gateway.frames import stream_bytes

CASES = Path(__file__).parent / "cases"
REQUESTS = sorted(CASES.glob("*/*/upstream_request.json"))
REFUSED = sorted(CASES.glob("*/*/error.json"))
ANSWERS = sorted(CASES.glob("*/*/upstream_response.json"))
STREAMS = sorted(CASES.glob("*/*/upstream_events.json"))


def _each(paths):
    return pytest.mark.parametrize(
        "case",
        [path.parent for path in paths],
        ids=lambda case: f"{case.parent.name}/{case.name}",
    )


def read(case, name):
    return json.loads((case / name).read_text())


def passage_of(case):
    door, _, kind = case.parent.name.partition(" to ")
    return between(DOORS[door], TRANSLATORS[kind])


def asked_in(case):
    told = read(case, "request.json")
    headers = {name: [value] for name, value in told.get("headers", {}).items()}
    body = {"model": "alias", "max_tokens": 100, **told["body"]}
    door = DOORS[case.parent.name.partition(" to ")[0]]
    raw = json.dumps(body, ensure_ascii=False).encode()
    return door.parse_request(body, Sent(headers, "req_1", raw=raw))


def route_of(case):
    fields = read(case, "route.json") if (case / "route.json").exists() else {}
    known = {"model": "alias", "completion_id": "chatcmpl-test", "created": 1700000000}
    return Route(**{**known, **fields})


def rendered(case):
    passage, asked, route = passage_of(case), asked_in(case), route_of(case)
    fetched = read(case, "request.json").get("fetched", {})
    prepared = passage.prepare(asked, route)
    assert list(prepared.remote_urls) == list(fetched)
    return prepared.render(fetched)


@_each(REQUESTS)
def test_a_request_is_rendered(case):
    expected, request = read(case, "upstream_request.json"), rendered(case)
    assert json.loads(request.raw) == expected["body"]
    assert list(request.dropped) == expected.get("dropped", [])
    assert list(request.downgraded) == expected.get("downgraded", [])
    if "path" in expected:
        assert request.path == expected["path"]
    for name, value in expected.get("headers", {}).items():
        assert request.headers[name] == value


@_each(REFUSED)
def test_what_cannot_be_said_is_refused(case):
    expected = read(case, "error.json")
    with pytest.raises(GatewayError) as refused:
        rendered(case)
    assert refused.value.status == expected["status"]
    assert refused.value.message.startswith(expected["message"])


@_each(ANSWERS)
def test_a_whole_answer_is_told(case):
    payload = read(case, "upstream_response.json")
    raw = json.dumps(payload).encode()
    reply = rendered(case)
    whole = passage_of(case).parse_response(
        Payload(payload, raw), {}, reply.reply, asked_in(case)
    )
    told = json.loads(whole.raw) if whole.raw else whole.body
    expected = read(case, "response.json")
    assert told == expected["body"]
    assert whole.finish_reason == expected["finish_reason"]
    for name, count in expected["usage"].items():
        assert whole.usage[name] == count


def _events(data):
    blocks = [block for block in data.decode().split("\n\n") if block]
    lines = [block.split("\ndata: ") for block in blocks]
    events = [json.loads(data) for _, data in lines]
    assert [name for name, _ in lines] == [f"event: {e['type']}" for e in events]
    return events


@pytest.mark.parametrize("size", [1, 7, 100_000])
@_each(STREAMS)
def test_a_stream_is_told(case, size):
    data = stream_bytes(read(case, "upstream_events.json"))
    reader = passage_of(case).reader(rendered(case).reply, asked_in(case))
    given = [reader.feed(data[i : i + size]) for i in range(0, len(data), size)]
    given.append(reader.close())
    out = b"".join(piece.data for piece in given)
    error = reader.state.error
    out += reader.renderer.fail(error) if error else reader.renderer.end()
    expected = read(case, "events.json")
    assert _events(out) == expected["events"]
    reasons = [piece.finish_reason for piece in given if piece.finish_reason]
    assert reasons[-1:] == [expected["finish_reason"]][: len(reasons)]
    for name, count in expected.get("usage", {}).items():
        assert reader.state.usage[name] == count

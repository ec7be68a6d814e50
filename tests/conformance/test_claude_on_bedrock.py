"""Anthropic's golden cases once more, with the same Claude on Bedrock.

InvokeModel takes and gives the body of the Messages API: what holds there must hold
here, but for what AWS is known to do otherwise.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON
from gateway.translators import bedrock
from tests.at_once import at_once
from tests.gateway.frames import stream_bytes
from tests.gateway.translators.test_translators import (
    CASES,
    check_error,
    read,
    reply_of,
    route_of,
    stream_of,
)

ENVELOPE = {"model", "stream", "anthropic_version", "anthropic_beta"}

LACKING = {"metadata", "service_tier", "cache_control"}
"""What the Messages API takes at its top level and AWS does not."""

DIFFERENT = {
    "034-remote-image-stays-a-url": "AWS fetches nothing: the gateway does",
    "038-uploaded-file": "AWS keeps no files",
    "052-beta-beside-an-uploaded-file": "AWS keeps no files",
    "052-beta-refused": "AWS runs no toolsets of other servers",
    "052-mcp-servers-alone": "AWS calls no servers of tools",
    "052-mcp-toolset": "AWS runs no toolsets of other servers",
    "052-native-tools-pass": "AWS refuses some keys of tools, which are left out",
    "052-no-beta-any-more": "AWS does not fetch pages",
    "052-web-search": "AWS does not search the web",
    "061-opus-4-5-effort-beside-budget": "AWS takes no effort beside a budget",
    "067-odd-marks-on-native-tools": "AWS does not run the tools of the case",
    "068-automatic-caching": "AWS takes no mark at the top: the last block has it",
    "068-hour-refused": "AWS takes no mark at the top: the last block has it",
    "095-not-json": "a frame of AWS cannot hold it",
    "096-framing": "is about server-sent events",
    "112-error-where-a-stream-was-due": "is about what is no stream at all",
    "112-web-page-where-a-stream-was-due": "is about what is no stream at all",
    "search-that-pauses-streamed": "AWS does not search the web",
}


def having(*names: str) -> list[Any]:
    """Return Anthropic's cases that have all of some files, as parameters."""
    return [
        pytest.param(case, id=f"{case.parent.name}/{case.name}")
        for case in sorted(CASES.glob("anthropic/*/"))
        if all((case / name).exists() for name in names) and case.name not in DIFFERENT
    ]


def rendered(case: Path) -> Any:
    """Return the case's request as it goes to the same model on Bedrock."""
    route, _ = route_of(case)
    options = {**route.options, "bedrock_api": "invoke"}
    name = f"anthropic.{route.upstream_model}-v1:0"
    on_bedrock = route._replace(upstream_model=name, options=options)
    return bedrock.render_request(read(case, "request.json"), on_bedrock)


@at_once("case", having("request.json", "upstream_request.json"))
def test_a_request_is_the_same(case: Path) -> None:
    expected = read(case, "upstream_request.json")["body"]
    body = rendered(case).body
    for sent in (expected, body):
        for field in ENVELOPE | LACKING:
            sent.pop(field, None)
    if "max_tokens" not in read(case, "request.json"):
        del body["max_tokens"], expected["max_tokens"]
    assert body == expected


@pytest.mark.parametrize("case", having("upstream_response.json", "response.json"))
def test_an_answer_is_the_same(case: Path) -> None:
    reply = reply_of(case)._replace(wire="claude")
    payload = read(case, "upstream_response.json")
    assert bedrock.parse_response(payload, {}, reply) == read(case, "response.json")


def events_of(case: Path) -> list[JSON]:
    """Return the events of a stream."""
    lines = stream_of(case).decode().splitlines()
    return [json.loads(line[5:]) for line in lines if line.startswith("data:")]


@at_once("case", having("upstream_stream.txt", "chunks.json"))
def test_a_stream_is_the_same(case: Path) -> None:
    parser = bedrock.stream_parser(reply_of(case)._replace(wire="claude"))
    raw = stream_bytes([{"chunk": event} for event in events_of(case)])
    chunks = parser.feed(raw) + parser.close()
    assert chunks == read(case, "chunks.json")
    if (case / "error.json").exists():
        check_error(parser.state.error, case)
    else:
        assert parser.state.error is None


def refused() -> list[Any]:
    """Return the cases whose request is refused."""
    return [
        param
        for param in having("request.json", "error.json")
        if not list(param.values[0].glob("upstream_*"))
    ]


@pytest.mark.parametrize("case", refused())
def test_a_request_is_refused_for_the_same_reason(case: Path) -> None:
    with pytest.raises(GatewayError) as caught:
        rendered(case)
    expected = read(case, "error.json")
    assert caught.value.status == expected["status"]
    assert caught.value.param == expected["error"]["param"]


def test_the_exceptions_are_cases() -> None:
    assert DIFFERENT.keys() <= {case.name for case in CASES.glob("anthropic/*/")}

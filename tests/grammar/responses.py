"""The grammar of a streamed response: what may follow what, and what must agree.

`check` reads a whole stream and raises `AssertionError` where it breaks a rule of
OpenAI's or of the Open Responses specification.
https://platform.openai.com/docs/api-reference/responses-streaming
https://www.openresponses.org/specification
"""

import json
from typing import Any, get_args

from openai.types.responses import ResponseStreamEvent

Event = dict[str, Any]

TERMINAL = {"response.completed", "response.incomplete", "response.failed"}
# SDKs know no event that says nothing, and no codes of errors but OpenAI's.
UNKNOWN_TO_SDK = {"keepalive", "response.failed"}
REDACTED = "[redacted]"
"""Stands for a credential; of one that came in pieces the others are left empty."""

CALLS = {
    "function_call",
    "custom_tool_call",
    "tool_search_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
}

_MODELS = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(ResponseStreamEvent)[0])
}


def events_of(stream: str | bytes) -> list[Event]:
    """Return the events of a stream, comments left out, its framing checked."""
    text = stream.decode() if isinstance(stream, bytes) else stream
    assert text.endswith("data: [DONE]\n\n"), text[-200:]
    events = []
    for block in text.removesuffix("data: [DONE]\n\n").split("\n\n")[:-1]:
        if block.startswith(":"):
            continue
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def check(stream: str | bytes) -> list[Event]:
    """Return the events of a stream that keeps all rules."""
    events = events_of(stream)
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    assert [e["type"] for e in events[:2]] == [
        "response.created",
        "response.in_progress",
    ]
    assert events[-1]["type"] in TERMINAL
    _check_responses(events)
    stream_state = _Stream(is_redacted=any(REDACTED in str(e) for e in events))
    for event in events[2:-1]:
        stream_state.take(event)
        if event["type"] not in UNKNOWN_TO_SDK:
            _MODELS[event["type"]].model_validate_json(json.dumps(event), strict=True)
    stream_state.end(events)
    return events


def _check_responses(events: list[Event]) -> None:
    """All responses told are the same one; only what changes changes."""
    told = [e["response"] for e in events if "response" in e]
    assert [e for e in events if e["type"].startswith("response.created")] == [
        events[0]
    ]
    changing = {
        "completed_at",
        "error",
        "incomplete_details",
        "output",
        "service_tier",
        "status",
        "store",
        "usage",
    }
    for response in told:
        if response["status"] == "failed":
            # Of what failed nothing is kept.
            assert not response.get("store")
            changing.add("store")
        same = {name: response[name] for name in response if name not in changing}
        first = {name: told[0][name] for name in told[0] if name not in changing}
        assert same == first
    # What was to be kept may not have been; what is kept was announced.
    assert told[0]["store"] or not told[-1]["store"]
    assert told[0]["status"] == told[1]["status"] == "in_progress"
    assert told[0]["output"] == []
    assert told[0]["usage"] is None
    assert f"response.{told[-1]['status']}" == events[-1]["type"]


class _Item:
    """One item between its first event and its last."""

    def __init__(self, item: Event, index: int, *, is_redacted: bool) -> None:
        self.first = item
        self.is_redacted = is_redacted
        self.index = index
        self.kind = item["type"]
        self.parts: list[Event] = []
        self.open_part: str | None = None
        self.pieces: list[str] = []
        self.is_told = False
        self.annotations: list[Event] = []

    def take(self, event: Event) -> None:
        """Take one of its events."""
        what = event["type"].removeprefix("response.")
        match what:
            case "content_part.added" | "reasoning_summary_part.added":
                assert self.open_part is None
                assert self._place(event) == len(self.parts)
                assert self._text(event["part"]) == ""
                self.open_part, self.pieces = event["part"]["type"], []
                self.is_told = False
            case (
                "output_text.delta"
                | "refusal.delta"
                | "reasoning_summary_text.delta"
                | "function_call_arguments.delta"
                | "custom_tool_call_input.delta"
            ):
                assert event["delta"] or self.is_redacted, "an empty delta"
                assert self.kind in CALLS or self.open_part is not None
                assert not self.is_told
                self._check_kind(what)
                self.pieces.append(event["delta"])
            case "output_text.annotation.added":
                assert event["annotation_index"] == len(self.annotations)
                self.annotations.append(event["annotation"])
            case "content_part.done" | "reasoning_summary_part.done":
                assert self.is_told
                assert event["part"]["type"] == self.open_part
                assert self._place(event) == len(self.parts)
                assert self._text(event["part"]) == "".join(self.pieces)
                self.parts.append(event["part"])
                self.open_part = None
            case _:
                assert what.endswith(".done"), what
                assert not self.is_told
                told = next(
                    event[name]
                    for name in ("text", "refusal", "arguments", "input")
                    if name in event
                )
                assert told == "".join(self.pieces) or (told, self.pieces) == ("{}", [])
                self.is_told, self.pieces = True, [told]

    def end(self, item: Event) -> None:
        """Take the whole item."""
        assert self.open_part is None
        for name in ("id", "type", "call_id", "name", "namespace", "role"):
            assert item.get(name) == self.first.get(name), name
        unfinished = "in_progress" if self.kind == "apply_patch_call" else "incomplete"
        assert item["status"] in {"completed", unfinished}
        match self.kind:
            case "message":
                assert item["content"] == self.parts
            case "reasoning":
                assert item["summary"] == self.parts
                assert item["encrypted_content"]
            case "function_call":
                assert self.is_told
                assert item["arguments"] == "".join(self.pieces)
            case "custom_tool_call":
                assert self.is_told
                assert item["input"] == "".join(self.pieces)
            case _:
                assert self.kind in CALLS

    def _check_kind(self, what: str) -> None:
        expected = {
            "output_text.delta": "output_text",
            "refusal.delta": "refusal",
            "reasoning_summary_text.delta": "summary_text",
        }
        if what in expected:
            assert self.open_part == expected[what]
        else:
            told = what.partition("_arguments")[0].partition("_input")[0]
            assert self.kind == told

    @staticmethod
    def _place(event: Event) -> int:
        return event.get("content_index", event.get("summary_index"))

    @staticmethod
    def _text(part: Event) -> str:
        return part["refusal"] if part["type"] == "refusal" else part["text"]


class _Stream:
    """What is open, and what is done."""

    def __init__(self, *, is_redacted: bool) -> None:
        self.is_redacted = is_redacted
        self.items: list[_Item] = []
        self.open: dict[int, _Item] = {}
        self.done: dict[int, Event] = {}
        self.failed = False

    def take(self, event: Event) -> None:
        """Take an event between the first two and the last."""
        if event["type"] == "keepalive":
            return
        assert not self.failed
        if event["type"] == "error":
            self.failed = True
            assert set(event["error"]) == {"type", "code", "message", "param"}
            assert event["message"] == event["error"]["message"]
            return
        index = event["output_index"]
        if event["type"] == "response.output_item.added":
            self._begin(event["item"], index)
        elif event["type"] == "response.output_item.done":
            self.open.pop(index).end(event["item"])
            self.done[index] = event["item"]
        else:
            assert event["item_id"] == self.open[index].first["id"]
            self.open[index].take(event)

    def _begin(self, item: Event, index: int) -> None:
        assert index == len(self.items)
        assert item["status"] == "in_progress"
        assert all(open_item.kind in CALLS for open_item in self.open.values())
        assert item["id"] not in {each.first["id"] for each in self.items}
        self.open[index] = _Item(item, index, is_redacted=self.is_redacted)
        self.items.append(self.open[index])

    def end(self, events: list[Event]) -> None:
        """Compare what was told piece by piece with the whole."""
        last = events[-1]["response"]
        assert last["output"] == [self.done[index] for index in sorted(self.done)]
        assert self.failed == (last["status"] == "failed")
        if self.failed:
            assert events[-2]["type"] == "error"
            assert last["error"]["code"]
            assert last["error"]["message"]
            return
        assert not self.open
        assert last["error"] is None
        assert set(last["usage"]) >= {"input_tokens", "output_tokens", "total_tokens"}
        is_complete = last["status"] == "completed"
        assert (last["incomplete_details"] is None) == is_complete
        if is_complete:
            assert all(item["status"] == "completed" for item in last["output"])

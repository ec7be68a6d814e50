"""An upstream that costs next to nothing: nginx with ready-made answers."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROWS = (
    "OpenAI",
    "Anthropic",
    "Anthropic by messages",
    "OpenAI by responses, passed on",
    "OpenAI by responses, translated",
    "OpenAI stream of 200",
    "OpenAI by responses, passed on, stream of 200",
    "OpenAI by responses, translated, stream of 200",
    "Anthropic stream of 200",
    "Anthropic by messages, stream of 200",
)
"""What is asked: the upstream first, by chat completions unless it says otherwise."""
TEXT = "All work and no play makes a dull benchmark. " * 8
WORDS = [f"word{number} " for number in range(200)]
MODEL = "gpt-4o-mini"


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[None]:
    """Run nginx with the answers of `ROWS` on `port`."""
    answers = {
        "/v1/chat/completions": (_chat(), "application/json"),
        "/v1/messages": (_message(), "application/json"),
        "/v1/responses": (_response(), "application/json"),
        "/s/v1/responses": (_response_stream(), "text/event-stream"),
        "/s/v1/chat/completions": (_chat_stream(), "text/event-stream"),
        "/s/v1/messages": (_message_stream(), "text/event-stream"),
    }
    locations = []
    for number, (path, (body, media_type)) in enumerate(answers.items()):
        (folder / f"answer-{number}").write_text(body)
        # nginx serves files to GET only; its own 405 page may be a file, though.
        locations.append(
            f"location = {path}"
            f" {{ error_page 405 =200 /answer-{number}; return 405; }}"
            f"location = /answer-{number}"
            f" {{ root {folder}; default_type {media_type}; }}"
        )
    # Started by root, nginx would read the files as a user who may not.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/nginx.pid;"
        f"error_log {folder}/error.log; events {{ worker_connections 4096; }}"
        "http { access_log off; keepalive_requests 10000000;"
        f"client_body_temp_path {folder}/body;"
        f"server {{ listen 127.0.0.1:{port}; {' '.join(locations)} }} }}"
    )
    server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-p", folder])
    try:
        time.sleep(0.5)
        yield
    finally:
        server.terminate()
        server.wait()


def _chat() -> str:
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": MODEL,
            "choices": [choice],
            "usage": {
                "prompt_tokens": 20,
                "completion_tokens": 80,
                "total_tokens": 100,
            },
        }
    )


def _response(**fields: Any) -> str:
    part = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}
    return json.dumps(
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1700000000,
            "status": "completed",
            "model": MODEL,
            "output": [{**message, "status": "completed"}],
            "usage": {"input_tokens": 20, "output_tokens": 80, "total_tokens": 100},
            **fields,
        }
    )


def _message(**fields: Any) -> str:
    return json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": [{"type": "text", "text": TEXT}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 20, "output_tokens": 80},
            **fields,
        }
    )


def _chat_stream() -> str:
    def chunk(delta: dict[str, str], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": MODEL}
        return _event({**head, "created": 1700000000, "choices": [choice]})

    deltas = [{"role": "assistant", "content": ""}, *({"content": w} for w in WORDS)]
    return "".join(map(chunk, deltas)) + chunk({}, "stop") + "data: [DONE]\n\n"


def _message_stream() -> str:
    start = json.loads(_message(content=[], stop_reason=None))
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
    ]
    for word in WORDS:
        delta = {"type": "text_delta", "text": word}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    events += [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 200},
        },
        {"type": "message_stop"},
    ]
    return "".join(f"event: {e['type']}\n{_event(e)}" for e in events)


def _response_stream() -> str:
    begun = json.loads(_response(status="in_progress", output=[], usage=None))
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    deltas = [{**place, "delta": word, "logprobs": []} for word in WORDS]
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        *(("response.output_text.delta", delta) for delta in deltas),
        ("response.completed", {"response": json.loads(_response())}),
    ]
    return "".join(
        f"event: {kind}\n{_event({'type': kind, 'sequence_number': number, **fields})}"
        for number, (kind, fields) in enumerate(events)
    )


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"

"""Writes AWS event streams, for tests that need one."""

import base64
import json
import struct
from typing import Any
from zlib import crc32


def frame_bytes(payload: bytes, headers: dict[str, str], crc_change: int = 0) -> bytes:
    """Return one frame as AWS would send it; `crc_change` breaks its checksum."""
    packed = b"".join(
        bytes([len(name)])
        + name.encode()
        + b"\x07"
        + struct.pack("!H", len(value.encode()))
        + value.encode()
        for name, value in headers.items()
    )
    start = struct.pack("!II", len(packed) + len(payload) + 16, len(packed))
    start += struct.pack("!I", crc32(start))
    body = start + packed + payload
    return body + struct.pack("!I", crc32(body) ^ crc_change)


def stream_bytes(events: list[dict[str, Any]]) -> bytes:
    """Return the stream of `events`, each an object with one key.

    The key ``chunk`` wraps its value as InvokeModel does, ``exception`` and ``error``
    give a name and a message, ``broken`` a frame with a wrong checksum; any other key
    is an event of that name.
    """
    return b"".join(_frame(event) for event in events)


def _frame(event: dict[str, Any]) -> bytes:
    ((name, value),) = event.items()
    if name == "exception":
        body = json.dumps(value["body"]).encode()
        headers = {":message-type": "exception", ":exception-type": value["type"]}
        return frame_bytes(body, headers)
    if name == "error":
        headers = {
            ":message-type": "error",
            ":error-code": value["code"],
            ":error-message": value["message"],
        }
        return frame_bytes(b"", headers)
    if name == "broken":
        headers = {":message-type": "event", ":event-type": "chunk"}
        return frame_bytes(b"{}", headers, crc_change=1)
    headers = {":message-type": "event", ":event-type": name}
    if name == "chunk":
        inner = json.dumps(value, ensure_ascii=False).encode()
        value = {"bytes": base64.b64encode(inner).decode(), "p": "abcdef"}
    return frame_bytes(json.dumps(value, ensure_ascii=False).encode(), headers)

"""What a prompt comes to, about, where nobody can be asked."""

import struct
from base64 import b64encode

import pytest

from gateway.doors.messages.estimate import DOCUMENT, IMAGE, PAGE, estimated

MIB = 1 << 20


def asking(*blocks):
    return {"messages": [{"role": "user", "content": list(blocks)}]}


def held(kind, data, media_type):
    source = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": kind, "source": source}


def png(width, height, size):
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return b64encode(head.ljust(size, b"x")).decode()


@pytest.mark.parametrize("data", [png(4000, 3000, 2 * MIB), "x" * 2 * MIB])
def test_an_image_is_no_text_however_long_its_bytes(data):
    told = estimated(asking(held("image", data, "image/png")))
    assert IMAGE <= told < IMAGE + 20
    within = {"type": "tool_result", "tool_use_id": "t"}
    within["content"] = [held("image", data, "image/png")]
    assert estimated(asking(within)) < IMAGE + 40


def test_a_small_image_counts_by_its_size():
    small = held("image", png(150, 100, 1000), "image/png")
    assert estimated(asking(small)) == round(5 + 150 * 100 / 750)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.4 /Type /Pages /Type /Page /Type/Page\n", 2 * PAGE),
        (b"%PDF-1.7 packed", DOCUMENT),
    ],
)
def test_a_document_counts_by_its_pages(data, expected):
    told = held("document", b64encode(data).decode(), "application/pdf")
    assert estimated(asking(told)) == 5 + expected


def test_other_scripts_count_by_the_character():
    japanese, english = "東京は雨です" * 50, "It rains in Tokyo. " * 50
    assert estimated(asking({"type": "text", "text": japanese})) == 5 + len(japanese)
    told = estimated(asking({"type": "text", "text": english}))
    assert 0.25 < told / len(english) < 0.33


def test_what_no_model_reads_counts_for_nothing():
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "s" * MIB}
    assert estimated(asking(thinking)) < 20

"""Pages are sent compressed; what must arrive piece by piece is not."""

import gzip

import pytest

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize("url", ["/", "/models/", "/usage/", "/admin/"])
def test_a_page_is_compressed_for_who_takes_it(logged_in_client, record, url):
    for number in range(40):
        record(model=f"m{number}")
    plain = logged_in_client.get(url)
    sent = logged_in_client.get(url, headers=GZIP)
    assert "Content-Encoding" not in plain
    assert sent["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in sent["Vary"]
    body = sent.getvalue()
    assert len(body) < len(gzip.decompress(body))
    assert gzip.decompress(body)[:9] == plain.getvalue()[:9]


def test_a_stream_of_events_is_not(logged_in_client, provider):
    provider()
    answer = logged_in_client.post(
        "/playground/stream/",
        {"model": "openai/gpt-4o-mini", "message": "hi"},
        headers={**GZIP, "Accept": "text/event-stream", "HX-Request": "true"},
    )
    assert answer["Content-Type"].startswith("text/event-stream")
    assert "Content-Encoding" not in answer

"""Content parts: data URLs, what bytes really are, and remote images."""

from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import Error as Base64Error
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.requests.content.encodings import (
    Base64,
    parse_base64,
    parse_data_url,
)
from gateway.hub.requests.content.formats import document_format, image_type
from gateway.hub.requests.content.parsing import parse_part
from gateway.hub.requests.content.parts import Audio, Document, FileId, Image, Text
from gateway.hub.requests.content.remote import remote_urls

PNG = b"\x89PNG\r\n\x1a\n\xff\xfe\xfb rest"
PLACE = "messages[0].content[0]"
URL_SAFE = bytes.maketrans(b"-_", b"+/")


def image(url):
    return {"type": "image_url", "image_url": {"url": url}}


def file(**fields):
    return {"type": "file", "file": fields}


def data_url(data, label="image/png"):
    return f"data:{label};base64,{b64encode(data).decode()}"


def refusal(part):
    with pytest.raises(GatewayError) as caught:
        parse_part(part, PLACE)
    assert (caught.value.status, caught.value.param) == (400, PLACE)
    return caught.value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", ""),
        (b"<svg xmlns=", ""),
        (b"", ""),
    ],
)
def test_the_bytes_tell_the_type_of_an_image(data, expected):
    assert image_type(data) == expected


def test_a_wrong_label_does_not_matter():
    part = parse_part(image(data_url(PNG, "image/jpg")), PLACE)
    assert part == Image("image/png", b64encode(PNG).decode())


@given(st.binary(min_size=1, max_size=60))
def test_base64_is_read_however_it_was_written(data):
    plain = b64encode(data).decode()
    lines = "\r\n ".join(plain[i : i + 4] for i in range(0, len(plain), 4))
    for text in (plain, lines, plain.rstrip("="), urlsafe_b64encode(data).decode()):
        assert parse_base64(text, PLACE) == Base64.of(data)
        assert parse_base64(text, PLACE).data == data


@pytest.mark.parametrize("at", [0, 32 * 1024 - 1, 32 * 1024, 99_999])
@pytest.mark.parametrize("wrong", ["!", "é", "="])
def test_every_letter_of_a_long_text_is_looked_at(at, wrong):
    text = "A" * 100_000
    assert parse_base64(text, PLACE) == Base64(text)
    if wrong != "=" or at < len(text) - 1:
        with pytest.raises(GatewayError):
            parse_base64(text[:at] + wrong + text[at + 1 :], PLACE)


def decoded(text):
    """Return the bytes of base64 text as a decoder that reads all of it gives them."""
    given = unquote_to_bytes(text).translate(URL_SAFE, b" \t\r\n\f\v").rstrip(b"=")
    return b64decode(given + b"=" * (-len(given) % 4), validate=True)


@given(st.text(st.sampled_from("AaZz09+/-_= \n\r\t%2Bé#.")) | st.text())
@example("iVBORw0KGgo=")
@example("aGl")
@example("aG/")
@example("a=Gk")
@example("aGk==")
@example("aGk=\n=")
@example("a")
def test_only_text_that_decodes_is_base64(text):
    try:
        data = decoded(text)
    except Base64Error:
        with pytest.raises(GatewayError) as caught:
            parse_base64(text, PLACE)
        assert caught.value.message == (
            f"Invalid content in '{PLACE}': the data is not valid base64."
        )
        return
    read = parse_base64(text, PLACE)
    assert (read.data, read.text) == (data, b64encode(data).decode())
    assert data.startswith(read.head)


@pytest.mark.parametrize(
    ("url", "label", "data"),
    [
        ("DATA:Image/PNG;BASE64,aGk=", "image/png", b"hi"),
        ("data:text/plain;charset=utf-8;base64,aGk", "text/plain", b"hi"),
        ("data:text/plain,a%20b", "text/plain", b"a b"),
        ("data:,x", "", b"x"),
        ("data:image/png;base64,aGk%3D", "image/png", b"hi"),
    ],
)
def test_a_data_url_is_read_in_all_its_forms(url, label, data):
    assert parse_data_url(url, PLACE) == (label, Base64.of(data))


@pytest.mark.parametrize(
    "part",
    [
        image("data:image/png;base64,a"),
        image("data:image/png;base64,####"),
        image("data:image/png"),
        image("ftp://example.com/x.png"),
        image(data_url(b"")),
        image(7),
        {"type": "image_url"},
        {"type": "text"},
        file(),
        file(file_data="####"),
        {"type": "input_audio", "input_audio": {"data": "aGk="}},
    ],
)
def test_a_malformed_part_is_refused_by_place(part):
    assert refusal(part).code == "invalid_value"


@pytest.mark.parametrize(
    "part", [image(data_url(b"<svg/>", "image/svg+xml")), {"type": "hologram"}]
)
def test_a_part_that_no_model_reads_is_refused_by_place(part):
    assert refusal(part).code == "unsupported_parameter"


def test_a_remote_image_stays_a_url():
    url = "HTTPS://example.com/x.png"
    assert parse_part(image(url), PLACE) == Image("", "", url)


def test_a_pdf_sent_as_an_image_is_a_document():
    part = parse_part(image(data_url(b"%PDF-1.7", "application/pdf")), PLACE)
    assert part == Document("pdf", b64encode(b"%PDF-1.7").decode(), "")


@pytest.mark.parametrize(
    ("data", "label", "name", "expected"),
    [
        (b"%PDF-1.7", "", "x.txt", "pdf"),
        (b"a,b", "text/csv", "", "csv"),
        (b"# t", "", "README.md", "md"),
        (b"{}", "application/json", "", "json"),
        (b"x", "text/x-python", "a.py", "txt"),
        (b"PK\x03\x04..", "", "a.docx", "docx"),
        (b"not a zip", "", "a.docx", ""),
        (b"\x00\x01", "text/plain", "", ""),
        (b"\xff\xff", "text/plain", "", ""),
        (b"MZ", "application/octet-stream", "a.exe", ""),
    ],
)
def test_the_format_of_a_file_is_found(data, label, name, expected):
    assert document_format(data, label, name) == expected


def test_a_file_keeps_its_name():
    part = parse_part(
        file(filename="a.txt", file_data=data_url(b"hi", "text/plain")), PLACE
    )
    assert part == Document("txt", "aGk=", "a.txt")
    assert part.text == "hi"


def test_a_file_may_come_without_the_data_url_around_it():
    part = parse_part(file(filename="a.md", file_data="aGk="), PLACE)
    assert part == Document("md", "aGk=", "a.md")


def test_a_file_may_be_named_by_its_id():
    assert parse_part(file(file_id="file_1"), PLACE) == FileId("file_1")


def test_a_refusal_is_text():
    assert parse_part({"type": "refusal", "refusal": "No."}, PLACE) == Text("No.")


def test_audio_is_decoded():
    part = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "WAV"}}
    assert parse_part(part, PLACE) == Audio("wav", "aGk=")


def test_remote_urls_are_listed_once_each():
    one, two = "https://example.com/1.png", "http://example.com/2.png"
    content = [image(one), image(data_url(PNG)), image(two), image(one)]
    body = {"messages": [{"role": "user", "content": content}]}
    assert remote_urls(body) == [one, two]


@pytest.mark.parametrize(
    "body", [{}, {"messages": "x"}, {"messages": [1, {"content": [1, {}]}]}]
)
def test_remote_urls_of_a_malformed_request_are_none(body):
    assert remote_urls(body) == []

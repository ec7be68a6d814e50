"""A credential that an upstream says again reaches no client, at any door."""

import json

import httpx
import pytest

from tests.gateway.chunks import DONE, ROLE, STOP, TEXT

ODD_KEY = "odd/key+0&1\"2\\3<4>='"


def test_a_credential_echoed_by_the_upstream_is_redacted(
    provider, upstream, gateway, streaming_door
):
    provider()
    said = json.dumps(streaming_door.upstream).replace(
        "hello", "key sk-upstream-key-0123456789"
    )
    upstream(lambda request: httpx.Response(200, text=said))
    response = streaming_door.ask(gateway())
    assert "sk-upstream" not in response.text
    assert "[redacted]" in response.text


@pytest.mark.parametrize("before", [b"", ROLE + TEXT])
def test_a_credential_echoed_in_a_stream_is_redacted(
    provider, upstream, gateway, streaming_door, ledger, before
):
    provider(value_prefix="", key="Odd-key-0123456789")
    told = {"error": {"message": "no Odd-key-0123456789", "type": "server_error"}}
    text = {"choices": [{"index": 0, "delta": {"content": "Odd-key-0123456789"}}]}
    parts = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in (text, told)]
    whole = b"".join(parts[1:] if not before else parts)
    # Cut within the credential.
    upstream(stream=[before + whole[:60], whole[60:]])
    response = streaming_door.ask(gateway(), stream=True)
    assert "Odd-key" not in response.text
    assert "[redacted]" in response.text
    (row,) = ledger()
    assert row["error_message"].endswith("no [redacted]")


def _as_php(key: str) -> str:
    return json.dumps(key)[1:-1].replace("/", "\\/")


def _as_dotnet(key: str) -> str:
    hidden = {each: f"\\u{ord(each):04X}" for each in "\"'<>&+"}
    return json.dumps(key)[1:-1].replace('\\"', '"').translate(str.maketrans(hidden))


def _as_go(key: str) -> str:
    hidden = {each: f"\\u{ord(each):04x}" for each in "<>&"}
    return json.dumps(key)[1:-1].translate(str.maketrans(hidden))


@pytest.mark.parametrize(
    "spell", [lambda key: json.dumps(key)[1:-1], _as_php, _as_dotnet, _as_go]
)
@pytest.mark.parametrize("how", ["whole", "refusal", "stream", "stream's error"])
def test_a_credential_is_redacted_however_json_spells_it(
    provider, upstream, gateway, streaming_door, ledger, spell, how
):
    provider(key=ODD_KEY, value_prefix="")
    said = spell(ODD_KEY)
    assert json.loads(f'"{said}"') == ODD_KEY
    error = b'{"error":{"message":"no %b","type":"server_error"}}' % said.encode()
    delta = b'{"id":"c","choices":[{"index":0,"delta":{"content":"%b"}}]}'
    whole = json.dumps(streaming_door.upstream).replace("hello", said).encode()
    match how:
        case "whole":
            upstream(lambda request: httpx.Response(200, content=whole))
        case "refusal":
            upstream(lambda request: httpx.Response(400, content=error))
        case "stream":
            event = b"data: " + delta % said.encode() + b"\n\n"
            upstream(stream=[ROLE, event, STOP, DONE])
        case _:
            upstream(stream=[ROLE, TEXT, b"data: " + error + b"\n\n"])
    is_stream = how.startswith("stream")
    response = streaming_door.ask(gateway(), stream=is_stream)
    told = streaming_door.said_in(response.content) if is_stream else response.json()
    assert "[redacted]" in response.text
    assert json.dumps(ODD_KEY)[1:-1] not in json.dumps([told, *ledger()])
    assert ODD_KEY not in response.text


def test_what_is_escaped_without_need_is_redacted(
    provider, upstream, gateway, streaming_door
):
    provider()
    hidden = "".join(f"\\u{ord(each):04x}" for each in "sk-upstream-key-0123456789")
    whole = json.dumps(streaming_door.upstream).replace("hello", hidden).encode()
    upstream(lambda request: httpx.Response(200, content=whole))
    response = streaming_door.ask(gateway())
    assert streaming_door.text_in(response.json()) == "[redacted]"

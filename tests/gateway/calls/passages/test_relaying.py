"""Messages to a server that speaks them: bytes in, the same bytes out."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.passages import between
from gateway.doors import messages
from gateway.doors.protocol import Sent
from gateway.hub.protocol import Route
from gateway.translators import anthropic
from gateway.wire.jsontext import decode
from tests.gateway.translators.test_message_relay import (
    MESSAGE,
    WHOLE,
    ending,
    start,
    stream,
    text,
)

PATH = "/v1/messages"
JSON_TYPE = {"content-type": "application/json"}


@pytest.fixture
def claude(provider):
    """A provider of the format with one model, called by its own name."""
    return provider(
        "claude",
        provider_type="anthropic",
        endpoint="https://api.anthropic.com",
        models=["claude-sonnet-5"],
    )


def send(gateway, raw, headers=None):
    return gateway().post(PATH, content=raw, headers={**JSON_TYPE, **(headers or {})})


RAW = (
    b'{ "max_tokens" : 1e3, "model":"claude-sonnet-5" ,"messages":[{"role":"user",'
    b'"content":[{"type":"text","text":"say \\"model\\":\\"x\\" caf\\u00e9",'
    b'"cache_control":{"type":"ephemeral","ttl":"1h","scope":"global"}},'
    b'{"type":"later","x":[1.50,{}]}]},{"role":"system","content":"mid"}],'
    b'"tools":[{"name":"f","defer_loading":true,"input_schema":{}}],'
    b'"new_field":{"b":1,"a":2}}'
)


def test_a_request_goes_on_to_the_letter(gateway, claude, upstream):
    seen = upstream(json=MESSAGE)
    answer = send(gateway, RAW)
    assert answer.status_code == 200
    assert seen[0].content == RAW
    assert str(seen[0].url) == "https://api.anthropic.com/v1/messages"


def test_an_answer_comes_back_to_the_letter(gateway, claude, upstream, ledger):
    raw = (
        b'{"type":"message", "model":"claude-sonnet-5-2026", "content":[{"type":"x"}],'
    )
    raw += b' "stop_reason":"pause_turn", "usage":{"input_tokens":3,'
    raw += b'"cache_read_input_tokens":4, "output_tokens":1e0}, "n":"\\u00e9" }'
    upstream(lambda request: httpx.Response(200, content=raw))
    assert send(gateway, RAW).content == raw
    (row,) = ledger()
    assert (row["input_tokens"], row["cached_tokens"]) == (7, 4)
    assert (row["finish_reason"], row["door"]) == ("pause_turn", "messages")


def test_a_stream_comes_back_to_the_letter(gateway, claude, upstream, ledger):
    cut = [WHOLE[i : i + 7] for i in range(0, len(WHOLE), 7)]
    upstream(stream=cut)
    body = {"model": "claude-sonnet-5", "stream": True, "messages": [{}]}
    answer = send(gateway, json.dumps(body))
    assert answer.content == WHOLE
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    (row,) = ledger()
    assert (row["outcome"], row["finish_reason"]) == ("ok", "stop")
    assert (row["input_tokens"], row["output_tokens"]) == (10, 7)


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=8), VALUES), st.booleans(), st.data())
def test_unknown_fields_survive_byte_for_byte(others, ascii_only, data):
    known = {"model": "house", "messages": [{"role": "user", "content": "hi"}]}
    for name in (*known, "stream"):
        others.pop(name, None)
    pairs = data.draw(st.permutations([*known.items(), *others.items()]))
    raw = json.dumps(dict(pairs), ensure_ascii=ascii_only).encode()
    rendered = render(raw, Route("house", "claude-sonnet-5"))
    before, after = json.loads(raw), json.loads(rendered.raw)
    assert list(after.items()) == [
        (name, "claude-sonnet-5" if name == "model" else value)
        for name, value in before.items()
    ]
    assert len(rendered.raw) == len(raw) + len("claude-sonnet-5") - len("house")


def render(raw, route, headers=None):
    sent = Sent(headers or {}, raw=raw)
    asked = messages.parse_request(decode(raw), sent)
    return between(messages, anthropic).prepare(asked, route).render({})


BODY = {"model": "house", "messages": [{"role": "user", "content": "hi"}]}
ROUTE = Route("house", "claude-sonnet-5")


def headers_for(given, **options):
    raw = json.dumps(BODY).encode()
    return render(raw, ROUTE._replace(options=options), given).headers


def test_the_clients_version_goes_on_and_a_missing_one_is_put_in():
    assert headers_for({})["anthropic-version"] == "2023-06-01"
    newer = {"anthropic-version": ["2026-10-21"]}
    assert headers_for(newer)["anthropic-version"] == "2026-10-21"


def test_betas_go_on_each_once_without_those_of_a_login():
    given = {"anthropic-beta": ["a-1, b-2", "oauth-2025-04-20,a-1", "new-9"]}
    assert headers_for(given)["anthropic-beta"] == "a-1, b-2, new-9"
    assert headers_for(given, drop_betas=["b-2"])["anthropic-beta"] == "a-1, new-9"
    assert render(json.dumps(BODY).encode(), ROUTE, given).path.endswith("?beta=true")


def test_no_beta_is_no_header():
    assert "anthropic-beta" not in headers_for({})
    assert "anthropic-beta" not in headers_for({"anthropic-beta": ["oauth-1"]})


def test_headers_of_the_format_go_on_and_others_stay():
    given = {
        "anthropic-foo": ["1"],
        "anthropic-dangerous-direct-browser-access": ["true"],
        "anthropic-workspace-id": ["w"],
        "x-claude-code-session-id": ["s"],
        "x-stainless-os": ["Linux"],
        "cookie": ["c"],
        "x-api-key": ["k"],
    }
    assert headers_for(given) == {
        "anthropic-version": "2023-06-01",
        "anthropic-foo": "1",
    }
    assert headers_for(given, forward_workspace=True)["anthropic-workspace-id"] == "w"


def test_the_providers_own_betas_stand_beside_the_clients(gateway, claude, upstream):
    claude.options = {"extra_headers": {"anthropic-beta": "own-1, b-2"}}
    claude.save()
    seen = upstream(json=MESSAGE)
    send(gateway, RAW, {"anthropic-beta": "b-2,c-3"})
    assert seen[0].headers["anthropic-beta"] == "own-1,b-2,c-3"
    assert seen[0].url.query == b"beta=true"


def test_rate_limits_keep_their_names(gateway, claude, upstream):
    told = {
        "anthropic-ratelimit-unified-status": "allowed",
        "anthropic-ratelimit-input-tokens-remaining": "9",
        "anthropic-organization-id": "org",
        "request-id": "req_up",
        "retry-after": "1.4",
        "set-cookie": "a=b",
    }
    upstream(json=MESSAGE, headers=told)
    headers = send(gateway, RAW).headers
    assert headers["anthropic-ratelimit-unified-status"] == "allowed"
    assert headers["anthropic-ratelimit-input-tokens-remaining"] == "9"
    assert headers["x-upstream-request-id"] == "req_up"
    assert headers["request-id"] == headers["x-request-id"]
    assert headers["retry-after"] == "2"
    assert not {"anthropic-organization-id", "set-cookie"} & set(headers)
    assert not any(name.startswith("x-ratelimit") for name in headers)


def edited(messages_, **options):
    raw = json.dumps({"model": "house", "temperature": 1.50, "messages": messages_})
    raw = raw.replace("1.5", "1.50")
    return render(raw.encode(), ROUTE._replace(options=options))


def test_thinking_of_other_models_is_left_out():
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    foreign = {"type": "thinking", "thinking": "Hm", "signature": ""}
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [foreign, call]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm"}]},
    ]
    rendered = edited(turns)
    sent = json.loads(rendered.raw)["messages"]
    assert sent[1]["content"] == [call]
    assert sent[2]["content"] == [{"type": "text", "text": "(no answer)"}]
    assert rendered.downgraded == ("thinking",)
    assert b'"temperature":1.50' in rendered.raw


def test_claudes_own_thinking_stays_to_the_letter():
    own = [
        {"type": "thinking", "thinking": "", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
        {"type": "fallback"},
        {"type": "compaction", "content": None},
    ]
    raw = json.dumps({**BODY, "messages": [{"role": "assistant", "content": own}]})
    rendered = render(raw.encode(), Route("house", "house"))
    assert rendered.raw == raw.encode()


def test_citations_that_lead_nowhere_are_left_out():
    seen = {"type": "web_search_result_location", "encrypted_index": "abc"}
    unseen = {"type": "web_search_result_location", "encrypted_index": ""}
    block = {"type": "text", "text": "a", "citations": [unseen, seen]}
    bare = {"type": "text", "text": "b", "citations": [unseen]}
    rendered = edited([{"role": "assistant", "content": [block, bare]}])
    (turn,) = json.loads(rendered.raw)["messages"]
    assert turn["content"] == [
        {"type": "text", "text": "a", "citations": [seen]},
        {"type": "text", "text": "b"},
    ]


def test_what_a_server_refuses_can_be_left_out():
    raw = json.dumps({**BODY, "metadata": {"user_id": "{}"}, "context_management": {}})
    options = {"drop_params": ["metadata.user_id", "context_management", "absent"]}
    rendered = render(raw.encode(), ROUTE._replace(options=options))
    assert json.loads(rendered.raw) == {**BODY, "model": "claude-sonnet-5"}
    assert rendered.dropped == ("metadata.user_id", "context_management")


ERROR = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "message": "thinking is bound to a different conversation",
        "details": {"error_code": "thinking_bound"},
    },
    "request_id": "req_up",
}


def test_a_refusal_keeps_its_words(gateway, claude, upstream, ledger):
    upstream(json=ERROR, status=400)
    answer = send(gateway, RAW)
    assert answer.status_code == 400
    told = answer.json()
    assert told["error"] == ERROR["error"]
    assert told["request_id"] == answer.headers["request-id"] != "req_up"
    assert ledger()[0]["error_message"] == ERROR["error"]["message"]


@pytest.mark.parametrize("status", [413, 429, 500, 529])
def test_a_status_is_the_upstreams(gateway, claude, upstream, status):
    error = {"type": "error", "error": {"type": "api_error", "message": "Busy"}}
    upstream(json=error, status=status)
    answer = send(gateway, RAW)
    assert answer.status_code == status
    assert answer.json()["error"] == error["error"]


def test_a_rejected_credential_is_not_the_clients(gateway, claude, upstream):
    error = {"type": "authentication_error", "message": "invalid x-api-key"}
    upstream(json={"type": "error", "error": error}, status=401)
    answer = send(gateway, RAW)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")
    assert answer.headers["x-should-retry"] == "false"


def test_a_web_page_is_told_without_it(gateway, claude, upstream):
    upstream(lambda request: httpx.Response(502, html="<html>nginx</html>"))
    answer = send(gateway, RAW)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")
    assert "<" not in answer.text


def test_a_limit_in_openais_words_is_told_in_these(gateway, claude, upstream):
    error = {"message": "Slow down", "type": "requests", "code": "rate_limit_exceeded"}
    upstream(json={"error": error}, status=429)
    answer = send(gateway, RAW)
    assert answer.status_code == 429
    assert answer.json()["error"]["type"] == "rate_limit_error"


SECRET = "sk-upstream-key-0123456789"


def test_a_credential_is_taken_out_of_what_goes_on(gateway, claude, upstream):
    said = json.dumps({**MESSAGE, "content": [{"type": "text", "text": f"<{SECRET}>"}]})
    upstream(lambda request: httpx.Response(200, content=said))
    answer = send(gateway, RAW)
    assert answer.text == said.replace(SECRET, "[redacted]")


def test_a_credential_is_taken_out_of_a_refusal(gateway, claude, upstream):
    error = {
        "type": "invalid_request_error",
        "message": SECRET,
        "details": {"k": SECRET},
    }
    upstream(json={"type": "error", "error": error}, status=400)
    told = send(gateway, RAW).json()["error"]
    assert (told["message"], told["details"]) == ("[redacted]", {"k": "[redacted]"})


def test_a_credential_said_in_pieces_is_taken_out_of_a_stream(
    gateway, claude, upstream
):
    upstream(stream=[stream(start(), *text("a ", SECRET[:9], SECRET[9:], " z")), WHOLE])
    answer = send(gateway, json.dumps(STREAMED))
    told = [
        json.loads(line[6:]) for line in answer.text.split("\n") if line[:5] == "data:"
    ]
    pieces = [each["delta"].get("text", "") for each in told if "delta" in each]
    assert "".join(pieces).startswith("a [redacted] z")


STREAMED = {"model": "claude-sonnet-5", "stream": True, "messages": [{}]}


def streamed(gateway, upstream, *parts):
    upstream(stream=list(parts))
    return send(gateway, json.dumps(STREAMED))


def test_a_stream_that_told_its_end_gets_the_last_event(
    gateway, claude, upstream, ledger
):
    told = stream(start(), *text("a"), ending())
    answer = streamed(gateway, upstream, told)
    assert answer.content == told + stream({"type": "message_stop"})
    assert ledger()[0]["outcome"] == "ok"


def test_a_stream_cut_short_ends_with_an_error(gateway, claude, upstream, ledger):
    told = stream(start(), *list(text("a"))[:2])
    answer = streamed(gateway, upstream, told, b"event: content_bl")
    head, _, last = answer.content.partition(told)
    assert head == b""
    assert last.startswith(b"event: error\ndata: ")
    error = json.loads(last.split(b"data: ")[1])
    assert error["error"]["type"] == "api_error"
    assert error["request_id"] == answer.headers["request-id"]
    assert ledger()[0]["error_code"] == "upstream_stream_truncated"


def test_an_error_within_a_stream_is_told_once(gateway, claude, upstream, ledger):
    overload = {"type": "error", "error": {"type": "overloaded_error", "message": "B"}}
    told = stream(start(), *list(text("a"))[:2], overload)
    answer = streamed(gateway, upstream, told)
    assert answer.content == told
    assert ledger()[0]["error_code"] == "overloaded"


def test_an_error_at_the_beginning_has_a_status(gateway, claude, upstream):
    overload = {"type": "error", "error": {"type": "overloaded_error", "message": "B"}}
    answer = streamed(gateway, upstream, stream(overload))
    assert answer.status_code >= 500
    assert answer.json()["error"] == overload["error"]


def test_a_whole_answer_to_who_wanted_a_stream_is_told_as_events(
    gateway, claude, upstream
):
    answer = streamed(gateway, upstream, json.dumps(MESSAGE).encode())
    assert answer.content.startswith(b"event: message_start\ndata: ")
    assert answer.content.endswith(stream({"type": "message_stop"}))


def test_a_stream_to_who_wanted_a_whole_answer_is_put_together(
    gateway, claude, upstream
):
    upstream(stream=[WHOLE])
    answer = send(gateway, RAW).json()
    assert answer["content"] == [{"type": "text", "text": "Hello"}]
    assert (answer["stop_reason"], answer["usage"]["output_tokens"]) == ("end_turn", 7)


def test_another_provider_is_asked_in_its_own_format(
    gateway, provider, claude, upstream, completion, ledger
):
    provider("other", models=["claude-sonnet-5"])

    def respond(request):
        if request.url.host == "api.anthropic.com":
            overload = {"type": "overloaded_error", "message": "Busy"}
            return httpx.Response(529, json={"type": "error", "error": overload})
        return httpx.Response(200, json=completion)

    seen = upstream(respond)
    body = {**BODY, "model": "claude-sonnet-5", "max_tokens": 9}
    answer = send(gateway, json.dumps(body))
    assert answer.json()["content"] == [{"type": "text", "text": "hello"}]
    assert [request.url.path for request in seen] == [PATH, "/v1/chat/completions"]


def test_what_was_refused_is_asked_nobody_else(gateway, provider, claude, upstream):
    provider("other", models=["claude-sonnet-5"])
    seen = upstream(json=ERROR, status=400)
    send(gateway, RAW)
    assert len(seen) == 1

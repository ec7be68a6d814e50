"""What comes back at every door: answers, failures, refusals, and their rows."""

import httpx
import pytest

from providers.models import ModelProvider, Secret
from tests.gateway.chunks import DONE, HELLO, ROLE, STOP, TEXT, event


def test_an_answer_comes_back_and_has_its_row(
    provider, upstream, gateway, door, ledger
):
    provider()
    seen = upstream(json=door.upstream)
    response = door.ask(gateway())
    door.check_answered(response)
    assert seen[0].headers["authorization"] == "Bearer sk-upstream-key-0123456789"
    assert response.headers["x-gateway-provider"] == "openai"
    (row,) = ledger()
    assert (row["door"], row["outcome"]) == (door.booked_as, "ok")
    assert (row["caller"], row["model"]) == ("local", "gpt-4o-mini")
    assert (row["input_tokens"], row["finish_reason"]) == (9, "stop")
    assert row["request_id"] == response.headers["x-request-id"]


def test_a_stream_comes_back_and_has_its_row(
    provider, upstream, gateway, streaming_door, ledger
):
    provider()
    upstream(stream=HELLO)
    response = streaming_door.ask(gateway(), stream=True)
    assert streaming_door.said_in(response.content) == ("hello", (), "")
    assert response.headers["cache-control"] == "no-cache, no-transform"
    (row,) = ledger()
    assert (row["door"], row["outcome"]) == (streaming_door.name, "ok")
    assert (row["stream"], row["finish_reason"]) == (True, "stop")
    assert (row["input_tokens"], row["output_tokens"]) == (9, 2)


def test_an_unknown_model_is_told_near_names(provider, gateway, door):
    provider()
    response = door.ask(gateway(), model="gpt-4o-mni")
    told = door.check_refused(response, 404, "model_not_found")
    assert 'no provider found for model "gpt-4o-mni"' in told
    assert "Did you mean gpt-4o-mini?" in told


def test_the_lowest_priority_number_wins_and_a_name_pins(
    provider, upstream, gateway, door
):
    provider("first", endpoint="http://127.0.0.1:1", priority=200)
    provider("second", endpoint="http://127.0.0.1:2", priority=100)
    seen = upstream(json=door.upstream)
    client = gateway()
    door.ask(client)
    door.ask(client, model="first/gpt-4o-mini")
    assert [request.url.port for request in seen] == [2, 1]
    if door.path.startswith("/v1/"):
        pinned = client.post(f"/v1/p/first{door.path[3:]}", json=door.body)
        assert pinned.headers["x-gateway-provider"] == "first"


def test_an_unreachable_provider_hands_over_to_the_next(
    provider, upstream, gateway, door, ledger
):
    provider("one", endpoint="http://127.0.0.1:1")
    provider("two", endpoint="http://127.0.0.1:2")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.port == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=door.upstream)

    upstream(answer)
    response = door.ask(gateway())
    door.check_answered(response)
    assert response.headers["x-gateway-provider"] == "two"
    (row,) = ledger()
    assert (row["provider"], row["outcome"]) == ("two", "ok")


@pytest.mark.proves("6.1")
def test_a_timeout_does_not_hand_over_because_it_may_be_billed(
    provider, upstream, gateway, door
):
    provider("one", endpoint="http://127.0.0.1:1")
    provider("two", endpoint="http://127.0.0.1:2")

    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("silence")

    seen = upstream(answer)
    response = door.ask(gateway())
    door.check_refused(response, 504, "upstream_timeout")
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (
            {"status": 401, "json": {"error": {"message": "bad"}}},
            502,
            "upstream_auth_error",
        ),
        (
            {"status": 302, "headers": {"location": "http://x"}},
            502,
            "upstream_invalid_response",
        ),
        ({"status": 204}, 502, "upstream_invalid_response"),
        ({"status": 503, "json": {"error": {"message": "busy"}}}, 503, "overloaded"),
        ({"json": []}, 502, "upstream_invalid_response"),
    ],
)
def test_an_upstream_failure_has_its_status_and_code(
    provider, upstream, gateway, door, ledger, answer, status, code
):
    provider()
    upstream(**answer)
    response = door.ask(gateway())
    door.check_refused(response, status, code)
    (row,) = ledger()
    assert (row["outcome"], row["error_code"]) == ("upstream_error", code)


def test_a_provider_that_answers_html_is_a_502_without_the_html(
    provider, upstream, gateway, door
):
    provider()
    upstream(lambda request: httpx.Response(200, html="<h1>Welcome</h1>"))
    response = door.ask(gateway())
    door.check_refused(response, 502, "upstream_invalid_response")
    assert "<h1>" not in response.text


@pytest.mark.proves("3.5")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_502_in_words_that_name_no_address(
    provider, upstream, gateway, door, status
):
    provider()
    elsewhere = {"location": "https://elsewhere.example/steal"}
    seen = upstream(status=status, headers=elsewhere)
    response = door.ask(gateway())
    door.check_refused(response, 502, "upstream_invalid_response")
    assert "redirect" in response.text
    assert "elsewhere" not in response.text + str(response.headers)
    assert len(seen) == 1


@pytest.mark.proves("4.5")
def test_an_undecryptable_secret_stops_that_provider_only(
    provider, upstream, gateway, door
):
    provider("broken", models=("a",))
    provider("fine", models=("gpt-4o-mini",))
    Secret.objects.filter(name="broken-secret").update(sealed="v1:00000000:AAAA")
    upstream(json=door.upstream)
    client = gateway()
    response = door.ask(client, model="a")
    door.check_refused(response, 503, "provider_unavailable")
    assert response.headers["retry-after"]
    door.check_answered(door.ask(client))


def test_a_repointed_provider_sends_no_key(provider, upstream, gateway, door):
    provider()
    ModelProvider.objects.update(endpoint="http://127.0.0.2:1")
    seen = upstream(json={})
    door.check_refused(door.ask(gateway()), 503, "provider_unavailable")
    assert seen == []


def test_an_error_before_the_first_byte_keeps_its_status(
    provider, upstream, gateway, streaming_door
):
    provider()
    upstream(stream=[event(error={"message": "x", "code": "rate_limit_exceeded"})])
    response = streaming_door.ask(gateway(), stream=True)
    streaming_door.check_refused(response, 429, "rate_limit_exceeded")


@pytest.mark.parametrize("tail", [[], [TEXT[:20]]])
def test_a_stream_cut_short_ends_in_one_error_frame(
    provider, upstream, gateway, streaming_door, ledger, tail
):
    provider()
    upstream(stream=[ROLE + TEXT, *tail])
    response = streaming_door.ask(gateway(), stream=True)
    said = streaming_door.said_in(response.content)
    assert (said.text, bool(said.failure)) == ("hel", True)
    (row,) = ledger()
    assert row["outcome"] == "upstream_error"
    assert row["error_code"] == "upstream_stream_truncated"
    assert row["estimated"] is True


def test_a_secret_that_is_not_used_any_more_fails_no_call(
    provider, upstream, gateway, door
):
    row = provider()
    row.auth_type, row.endpoint = "none", "http://127.0.0.1:10"
    row.save()
    upstream(json=door.upstream)
    door.check_answered(door.ask(gateway()))


def test_a_secret_whose_addresses_were_edited_is_not_used_from_memory(
    provider, upstream, gateway, door
):
    row = provider()
    seen = upstream(json=door.upstream)
    door.check_answered(door.ask(gateway()))
    row.secret.origins = [*row.secret.origins, "https://elsewhere.example:443"]
    row.secret.save(update_fields=["origins"])
    door.check_refused(door.ask(gateway()), 503, "provider_unavailable")
    assert len(seen) == 1


def test_a_request_over_the_limit_is_a_429_that_reached_nobody(
    provider, upstream, gateway, door, ledger
):
    provider(requests_per_minute=2)
    seen = upstream(json=door.upstream)
    client = gateway()
    for _ in range(2):
        door.check_answered(door.ask(client))
    door.check_refused(door.ask(client), 429, "rate_limit_exceeded")
    assert len(seen) == 2
    assert len(ledger()) == 2


def test_limits_that_are_not_enforced_are_only_stored(
    provider, upstream, gateway, door, settings
):
    settings.RATE_LIMIT_ENFORCEMENT = False
    provider(requests_per_minute=1)
    upstream(json=door.upstream)
    client = gateway()
    statuses = [door.ask(client).status_code for _ in range(3)]
    assert statuses == [200, 200, 200]


def test_a_disabled_provider_serves_nothing(provider, gateway, door):
    provider(enabled=False)
    door.check_refused(door.ask(gateway()), 404, "model_not_found")


BAD_USAGE = [
    "none",
    [1],
    3,
    {"prompt_tokens": "9", "prompt_tokens_details": "x"},
    {"prompt_tokens": 10**30, "completion_tokens_details": [1]},
]


@pytest.mark.parametrize("usage", BAD_USAGE)
def test_an_answer_with_usage_that_is_none_comes_through(
    provider, upstream, gateway, door, ledger, usage
):
    provider()
    upstream(json={**door.upstream, "usage": usage})
    response = door.ask(gateway())
    door.check_answered(response)
    (row,) = ledger()
    assert row["outcome"] == "ok"
    # Of texts that were embedded the length is known.
    assert row.get("estimated", "input_tokens" not in row)


@pytest.mark.parametrize("usage", BAD_USAGE)
def test_a_stream_with_usage_that_is_none_is_recorded(
    provider, upstream, gateway, streaming_door, ledger, usage
):
    provider()
    upstream(stream=[ROLE, TEXT, STOP, event(usage=usage), DONE])
    response = streaming_door.ask(gateway(), stream=True)
    assert streaming_door.said_in(response.content).failure == ""
    (row,) = ledger()
    assert row["outcome"] == "ok"
    assert "input_tokens" not in row

"""What a check says about each way in which a provider answers or does not."""

import asyncio
import datetime
import socket

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from providers import starter, status, transport
from providers.models import ModelProvider, OAuthToken, Secret
from providers.status.observer import Observer
from providers.transport.guard import Rules
from tests.faults import Answer, FaultServer, json_answer, refused_port

DRIPPING = {"x-fault": "drip", "x-interval": "1"}
CANARY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def real_transport(monkeypatch):
    """Checks go through the real transport to loopback, and may take their time."""
    monkeypatch.setattr(status, "TIMEOUT", dict.fromkeys(status.TIMEOUT, 60.0))
    monkeypatch.setattr(status, "CHECK_SECONDS", 120.0)
    rules = Rules(private_networks=("127.0.0.0/8", "::1/128"))
    with transport.use(transport.GuardedTransport(rules)) as way:
        yield way


@pytest.fixture
def upstream():
    """A provider that lists gpt-4o-mini and gpt-4o."""
    with FaultServer() as server:
        server.answer = json_answer({"data": [{"id": "gpt-4o-mini"}, {"id": "gpt-4o"}]})
        yield server


def draft(endpoint, values=None, **fields):
    """An unsaved provider with an unsaved secret, as a form makes it."""
    defaults = {
        "name": "draft",
        "private_network": True,
        "header_name": "Authorization",
        "value_prefix": "Bearer ",
    }
    row = ModelProvider(endpoint=endpoint, **{**defaults, **fields})
    if row.needs_secret:
        row.secret = Secret(name="draft-secret")
        row.secret.store(values or {"api_key": CANARY}, row.required_origins())
    return row


def bedrock(endpoint):
    return draft(
        endpoint,
        {"aws_access_key_id": "AKIDCANARY", "aws_secret_access_key": "canary" * 6},
        provider_type="bedrock",
        auth_type="aws_sigv4",
        region="us-east-1",
    )


def check(provider, models=()):
    return asyncio.run(status.check(provider, models=list(models)))


# --- it works ---


def test_models_that_are_listed_are_counted(upstream):
    result = check(draft(upstream.url), ["gpt-4o-mini", "gpt-4o"])
    assert result.status == "available"
    assert result.message == (
        f"Connected in {result.duration_ms} ms. 2 of 2 models found."
    )
    assert result.models == ["gpt-4o", "gpt-4o-mini"]
    assert result.request == f"GET {upstream.url}/v1/models"


def test_a_check_carries_what_traffic_carries(upstream):
    options = {"organization": "org-1", "extra_headers": {"X-Team": "blue"}}
    check(draft(upstream.url, options=options))
    received = upstream.requests[0]
    assert (received.method, received.target) == ("GET", "/v1/models")
    assert received.header("authorization") == f"Bearer {CANARY}"
    assert received.header("openai-organization") == "org-1"
    assert received.header("x-team") == "blue"


def test_a_mistyped_model_is_a_warning_with_a_suggestion(upstream):
    result = check(draft(upstream.url), ["gpt-4o-mni"])
    assert result.status == "available"
    assert (
        "gpt-4o-mni is not in the provider's list. Did you mean gpt-4o-mini?"
        in result.message
    )
    assert result.missing[0].suggestion == "gpt-4o-mini"


def test_a_check_leaves_no_connection_behind(upstream):
    check(draft(upstream.url))
    assert upstream.wait_until(lambda: upstream.open == 0)


def test_anthropic_is_asked_in_its_own_way(upstream):
    upstream.answer = json_answer({"data": [{"id": "claude-sonnet-4-5-20250929"}]})
    provider = draft(
        upstream.url,
        provider_type="anthropic",
        header_name="x-api-key",
        value_prefix="",
    )
    result = check(provider, ["claude-sonnet-4-5"])
    assert upstream.requests[0].header("anthropic-version") == "2023-06-01"
    assert upstream.requests[0].header("x-api-key") == CANARY
    assert (result.status, result.missing) == ("available", [])


def test_ollama_is_asked_for_its_version_and_its_models(upstream):
    upstream.answers["/api/version"] = json_answer({"version": "0.12"})
    upstream.answers["/api/tags"] = json_answer(
        {"models": [{"name": "llama3.2:latest"}, {"name": "qwen3:8b"}]}
    )
    provider = draft(upstream.url, provider_type="ollama", auth_type="none")
    result = check(provider, ["llama3.2", "qwen3:8b"])
    assert "2 of 2 models found" in result.message


def test_bedrock_lists_models_and_inference_profiles(upstream):
    upstream.answers["/foundation-models"] = json_answer(
        {
            "modelSummaries": [
                {
                    "modelId": "amazon.nova-lite-v1:0",
                    "inferenceTypesSupported": ["ON_DEMAND"],
                    "outputModalities": ["TEXT"],
                },
                {
                    "modelId": "anthropic.claude-opus-4-6-v1",
                    "inferenceTypesSupported": ["INFERENCE_PROFILE"],
                    "outputModalities": ["TEXT"],
                },
                {"modelId": "amazon.canvas", "outputModalities": ["IMAGE"]},
            ]
        }
    )
    upstream.answers["/inference-profiles"] = json_answer(
        {
            "inferenceProfileSummaries": [
                {"inferenceProfileId": "us.anthropic.claude-opus-4-6-v1"}
            ]
        }
    )
    result = check(bedrock(upstream.url), ["arn:aws:bedrock:us-east-1:1:x/y"])
    assert result.models == ["amazon.nova-lite-v1:0", "us.anthropic.claude-opus-4-6-v1"]
    assert result.missing == []
    assert "bedrock/aws4_request" in upstream.requests[0].header("authorization")


def test_the_sandbox_says_that_no_model_speaks():
    provider = draft(starter.sandbox_endpoint())
    result = check(provider)
    assert result.status == "available"
    assert result.message.startswith("Answers come from the offline sandbox")


# --- it does not ---


@pytest.mark.parametrize(
    ("answer", "outcome", "message"),
    [
        (
            json_answer({"error": {"message": "no"}}, 401),
            "unavailable",
            "The provider rejected the credentials (401).",
        ),
        (
            json_answer({}, 403),
            "unavailable",
            "The provider rejected the credentials (403).",
        ),
        (
            Answer(404, b"<html>nope</html>"),
            "unavailable",
            "Endpoint answered, but /v1/models was not found. Check the path.",
        ),
        (
            json_answer({}, 429),
            "available",
            "Rate limited by the provider; credentials are valid.",
        ),
        (json_answer({}, 503), "unavailable", "Provider error 503; will retry."),
        (Answer(302, b"", {"location": "http://x/"}), "failed", "redirect (302)"),
        (Answer(200, b"<html>Log in</html>"), "unavailable", "Check the endpoint."),
        (json_answer({"hello": "world"}), "unavailable", "Check the endpoint."),
        (json_answer({}, 418), "unavailable", "answered 418"),
    ],
)
def test_an_answer_has_one_meaning(upstream, answer, outcome, message):
    upstream.answer = answer
    result = check(draft(upstream.url))
    assert (result.status, result.http_status) == (outcome, answer.status)
    assert message in result.message


def test_a_refused_connection_says_what_to_look_at():
    with refused_port() as port:
        result = check(draft(f"http://127.0.0.1:{port}"))
    assert result.status == "unavailable"
    assert result.message == (
        f"Cannot reach 127.0.0.1:{port} (connection refused). Is it running and "
        "reachable from this server?"
    )
    assert "host.docker.internal" in result.hint
    assert result.stage == "connect"


@pytest.fixture
def unknown_names():
    """Nobody is known by a name, however long a resolver here would take to say so."""

    async def lookup(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with transport.use(transport.GuardedTransport(Rules(), lookup)):
        yield


def test_a_name_that_cannot_be_resolved_is_unavailable(unknown_names):
    provider = draft("https://no-such-host.invalid", private_network=False)
    result = check(provider)
    assert result.status == "unavailable"
    assert "cannot be resolved" in result.message
    assert result.hint == "Check how the endpoint is spelled."


def test_a_region_without_bedrock_is_unavailable_and_the_region_is_asked_for(
    unknown_names,
):
    result = check(bedrock("https://bedrock-runtime.xx-east-9.invalid"))
    assert result.status == "unavailable"
    assert "Check the region" in result.message


def test_a_silent_provider_is_unavailable(monkeypatch):
    monkeypatch.setattr(status, "TIMEOUT", {"connect": 60, "first_byte": 0.2})
    with FaultServer(mute=True) as silent:
        result = check(draft(silent.url))
    assert result.status == "unavailable"
    assert "no answer in time" in result.message


def test_a_list_that_drips_in_does_not_hold_a_check(upstream, monkeypatch):
    monkeypatch.setattr(status, "CHECK_SECONDS", 0.3)
    row = draft(upstream.url, options={"extra_headers": DRIPPING})
    result = check(row)
    assert result.status == "unavailable"
    assert "was not over" in result.message
    with pytest.raises(status.DiscoveryFailed, match="was not over"):
        asyncio.run(status.discover(row))


@pytest.mark.parametrize(
    "fields",
    [
        {"endpoint": "https://xn--a.com"},
        {"endpoint": "https://a..b"},
        {"options": {"organization": "Büro"}},
        {"options": {"extra_headers": {"x-team": "a\r\nb"}}},
    ],
)
def test_what_cannot_be_sent_is_a_mistake_to_correct(fields):
    result = check(draft(**{"endpoint": "https://api.example.com", **fields}))
    assert result.status == "failed"
    assert "cannot be used" in result.message


def test_a_blocked_destination_is_a_mistake_to_correct(upstream):
    result = check(draft(upstream.url, private_network=False))
    assert result.status == "failed"
    assert "Private network" in result.message
    assert upstream.connections == 0


def test_an_untrusted_certificate_is_a_mistake_to_correct():
    def refuse(request):
        raise transport.TLSFailed("Certificate not trusted: self-signed certificate.")

    with transport.use(httpx.MockTransport(refuse)):
        result = check(draft("https://model.example.com", private_network=False))
    assert result.status == "failed"
    assert result.message == "Certificate not trusted: self-signed certificate."


def test_a_missing_secret_is_a_mistake_to_correct(upstream):
    provider = draft(upstream.url)
    provider.secret = None
    result = check(provider)
    assert (result.status, result.stage) == ("failed", "credentials")
    assert "No secret is stored" in result.message


def test_an_unreadable_secret_is_a_mistake_to_correct(upstream):
    provider = draft(upstream.url)
    provider.secret.sealed = "v1:00000000:AAAA"
    result = check(provider)
    assert result.status == "failed"
    assert "cannot be decrypted with the current keys" in result.message


def test_a_refusing_token_server_is_a_matter_of_credentials(upstream):
    upstream.answers["/token"] = json_answer({"error": "invalid_client"}, 401)
    provider = draft(
        upstream.url,
        {"client_id": "a", "client_secret": "b"},
        auth_type="oauth2",
        token_url=upstream.url + "/token",
    )
    result = check(provider)
    assert result.status == "unavailable"
    assert "invalid_client" in result.message


# --- Bedrock's refusals ---


@pytest.mark.parametrize(
    ("kind", "message", "outcome", "words"),
    [
        (
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/x is not authorized to perform: "
            "bedrock:ListFoundationModels",
            "available",
            "type IDs by hand",
        ),
        (
            "AccessDeniedException",
            "Bearer Token has expired",
            "unavailable",
            "rejected the credentials",
        ),
        (
            "UnrecognizedClientException:http://internal.amazon.com/coral/",
            "The security token included in the request is invalid.",
            "unavailable",
            "rejected the credentials",
        ),
        (
            "InvalidSignatureException",
            "The request signature we calculated does not match",
            "unavailable",
            "rejected the credentials",
        ),
    ],
)
def test_aws_refuses_credentials_or_only_the_list(
    upstream, kind, message, outcome, words
):
    upstream.answer = json_answer({"message": message}, 403, x_amzn_errortype=kind)
    result = check(bedrock(upstream.url))
    assert result.status == outcome
    assert words in result.message


def test_an_endpoint_that_lists_no_models_may_still_run_them(upstream):
    upstream.answer = json_answer({}, 404, x_amzn_errortype="UnknownOperationException")
    assert check(bedrock(upstream.url)).status == "available"


# --- what is shown ---


NO_MODEL = {"error": {"message": "model is required"}}


@pytest.mark.parametrize("listing", [404, 405, 501])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (json_answer(NO_MODEL, 400), "available"),
        (json_answer(NO_MODEL, 422), "available"),
        (json_answer(NO_MODEL, 429), "available"),
        (json_answer(NO_MODEL, 401), "unavailable"),
        (json_answer(NO_MODEL, 403), "unavailable"),
        (json_answer(NO_MODEL, 404), "unavailable"),
        (json_answer(NO_MODEL, 500), "unavailable"),
    ],
)
def test_a_server_without_a_list_is_known_by_its_chat_path(
    upstream, listing, answer, outcome
):
    upstream.answer = Answer(listing, b"")
    upstream.answers["/v1/chat/completions"] = answer
    result = check(draft(upstream.url))
    assert result.status == outcome
    asked = upstream.requests[-1]
    assert (asked.method, asked.body) == ("POST", b"{}")
    assert asked.header("authorization") == f"Bearer {CANARY}"
    if answer.status in {401, 403}:
        assert "rejected the credentials" in result.message
    elif outcome == "unavailable":
        assert "/v1/models was not found" in result.message or listing == 501


def test_a_server_without_a_version_is_known_by_its_chat_path(upstream):
    upstream.answer = Answer(404, b"404 page not found")
    upstream.answers["/api/chat"] = json_answer({"error": "model is required"}, 400)
    provider = draft(upstream.url, provider_type="ollama", auth_type="none")
    result = check(provider)
    assert result.status == "available"
    assert result.request == f"POST {upstream.url}/api/chat"


@pytest.mark.proves("3.10")
def test_credentials_that_come_back_are_not_shown(upstream):
    upstream.answer = json_answer({"error": {"message": f"Bad key {CANARY}!"}}, 401)
    result = check(draft(upstream.url))
    assert result.body == "Bad key [redacted]!"
    assert "canary" not in repr(result)


@pytest.mark.parametrize(
    "message",
    [
        "Incorrect API key provided: sk-proj-abcdefghijk.",
        "Bearer abcdefg is invalid",
        "The key AKIAIOSFODNN7EXAMPLE is unknown",
    ],
)
def test_other_credentials_are_not_shown_either(upstream, message):
    upstream.answer = json_answer({"error": {"message": message}}, 401)
    shown = check(draft(upstream.url)).body
    assert "[redacted]" in shown
    assert not {"abcdefghijk", "abcdefg", "IOSFODNN7"} & set(shown.split("-"))


def test_an_excerpt_is_short_and_plain(upstream):
    upstream.answer = json_answer({"message": "a\u202eb\n" + "x" * 5000}, 500)
    body = check(draft(upstream.url)).body
    assert len(body) == 200
    assert body.isprintable()


@pytest.mark.proves("3.10")
def test_nothing_of_a_page_is_shown(upstream):
    upstream.answer = Answer(500, b"<html>secret internals</html>")
    assert "internals" not in repr(check(draft(upstream.url)))


def test_a_huge_answer_is_not_read_to_its_end(upstream):
    provider = draft(upstream.url, options={"extra_headers": {"x-fault": "huge"}})
    assert check(provider).status == "unavailable"


# --- fetching models ---


def test_models_are_fetched_sorted(upstream):
    found = asyncio.run(status.discover(draft(upstream.url)))
    assert found == ["gpt-4o", "gpt-4o-mini"]


@pytest.mark.parametrize(
    "answer",
    [[{"id": "m"}], {"models": [{"name": "m"}]}, {"data": [{"id": "m"}, 1, {"id": 2}]}],
)
def test_the_lists_of_compatible_servers_are_understood(upstream, answer):
    upstream.answer = json_answer(answer)
    assert asyncio.run(status.discover(draft(upstream.url))) == ["m"]


def test_a_failed_fetch_says_why(upstream):
    upstream.answer = json_answer({}, 401)
    with pytest.raises(status.DiscoveryFailed, match="rejected the credentials"):
        asyncio.run(status.discover(draft(upstream.url)))


@pytest.mark.parametrize("listing", [404, 405, 501])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (json_answer(NO_MODEL, 400), "lists no models .* type the ids"),
        (json_answer(NO_MODEL, 422), "lists no models .* type the ids"),
        (json_answer(NO_MODEL, 401), "rejected the credentials"),
        (Answer(404, b"404 page not found"), "/v1/models was not found.* type their"),
    ],
)
def test_a_fetch_from_a_server_without_a_list_says_so(upstream, listing, answer, words):
    upstream.answer = Answer(listing, b"")
    upstream.answers["/v1/chat/completions"] = answer
    with pytest.raises(status.DiscoveryFailed, match=words):
        asyncio.run(status.discover(draft(upstream.url)))


def test_a_server_with_a_list_may_tell_no_version(upstream):
    upstream.answer = Answer(404, b"404 page not found")
    upstream.answers["/api/tags"] = json_answer({"models": [{"name": "qwen3:8b"}]})
    provider = draft(upstream.url, provider_type="ollama", auth_type="none")
    assert asyncio.run(status.discover(provider)) == ["qwen3:8b"]
    result = check(provider, ["qwen3:8b"])
    assert result.status == "available"
    assert "1 of 1 models found" in result.message


def test_an_endpoint_that_lists_no_models_asks_for_ids_by_hand(upstream):
    upstream.answer = json_answer({}, 404, x_amzn_errortype="UnknownOperationException")
    with pytest.raises(status.DiscoveryFailed, match="type their ids by hand"):
        asyncio.run(status.discover(bedrock(upstream.url)))


def test_a_key_that_may_not_list_asks_for_ids_by_hand(upstream):
    upstream.answer = json_answer(
        {"message": "x is not authorized to perform: bedrock:ListFoundationModels"},
        403,
        x_amzn_errortype="AccessDeniedException",
    )
    with pytest.raises(status.DiscoveryFailed, match="type IDs by hand"):
        asyncio.run(status.discover(bedrock(upstream.url)))


# --- checks that nobody asked for ---


@pytest.fixture
def saved(transactional_db, provider, upstream):
    """Makes a saved provider at the upstream."""

    def make(name, **fields):
        return provider(name, endpoint=upstream.url, **fields)

    return make


def due(after=0):
    now = timezone.now() + datetime.timedelta(seconds=after)
    return asyncio.run(status.check_due(now))


def test_a_pending_provider_is_checked_at_once(saved):
    row = saved("one")
    assert due() == 1
    row.refresh_from_db()
    assert row.status == "available"
    assert "1 of 1 models found" in row.status_message
    assert row.status_checked_at is not None


def test_a_checked_provider_is_left_alone_until_its_check_is_old(saved):
    saved("one")
    assert [due(), due(), due(301)] == [1, 0, 1]


@pytest.mark.proves("6.6")
def test_a_clock_set_back_does_not_keep_a_provider_from_being_checked(saved):
    saved("one")
    assert [due(), due(-3600)] == [1, 1]


def test_a_disabled_provider_is_not_checked_again(saved):
    saved("one", enabled=False).set_status("available")
    assert due(3600) == 0


def test_a_provider_edited_meanwhile_stays_pending(saved):
    row = saved("one")
    asked, edited = asyncio.Event(), asyncio.Event()

    async def answer(request):
        asked.set()
        await edited.wait()
        return httpx.Response(200, json={"data": [{"id": "gpt-4o-mini"}]})

    async def check_and_edit():
        checking = asyncio.ensure_future(status.check_due(timezone.now()))
        await asked.wait()
        await ModelProvider.objects.aupdate(version=2)
        edited.set()
        await checking

    with transport.use(httpx.MockTransport(answer)):
        asyncio.run(check_and_edit())
    row.refresh_from_db()
    assert row.status == "pending"


def test_many_providers_are_checked_side_by_side(saved, monkeypatch):
    monkeypatch.setattr(status, "CHECKS_AT_ONCE", 4)
    for number in range(8):
        saved(f"p{number}")
    came, four = [], asyncio.Event()

    async def answer(request):
        came.append(request)
        if len(came) == 4:
            four.set()
        await four.wait()
        return httpx.Response(200, json={"data": [{"id": "gpt-4o-mini"}]})

    with transport.use(httpx.MockTransport(answer)):
        assert due() == 8
    assert {row.status for row in ModelProvider.objects.all()} == {"available"}


def test_nobody_waits_for_the_slowest(saved, upstream):
    saved("slow", options={"extra_headers": DRIPPING})

    async def both():
        checks = status.Checks()
        (slow,) = await checks.begin(timezone.now())
        await sync_to_async(saved)("quick")
        (quick,) = await checks.begin(timezone.now())
        await quick
        is_waiting = not slow.done()
        await checks.aclose()
        return is_waiting

    assert asyncio.run(both())
    assert ModelProvider.objects.get(name="quick").status == "available"


def test_one_broken_provider_stops_no_check(saved):
    saved("broken")
    ModelProvider.objects.update(options={"extra_headers": "no headers"})
    saved("good")
    assert due() == 2
    found = dict(ModelProvider.objects.values_list("name", "status"))
    assert found == {"broken": "failed", "good": "available"}


def test_a_provider_nobody_connected_is_failed(saved, upstream):
    row = saved(
        "one",
        auth_type="oauth2",
        token_url=upstream.url + "/token",
        authorization_url="https://login.example.com/authorize",
    )
    due()
    row.refresh_from_db()
    assert row.status == "failed"
    assert "press Connect" in row.status_message
    assert not OAuthToken.objects.exists()


# --- conclusions from real traffic ---


@pytest.mark.proves("7.3")
def test_five_failures_in_a_row_make_a_provider_unavailable():
    observer = Observer()
    told = [observer.observe(1, "unreachable") for _ in range(6)]
    assert told == [None, None, None, None, "unavailable", None]


def test_a_success_in_between_starts_the_count_again():
    observer = Observer()
    kinds = ["unreachable"] * 4 + ["ok"] + ["unreachable"] * 4
    assert "unavailable" not in [observer.observe(1, kind) for kind in kinds]


def test_credentials_rejected_twice_make_a_provider_unavailable():
    observer = Observer()
    assert observer.observe(1, "auth_rejected") is None
    assert observer.observe(1, "auth_rejected") == "unavailable"


def test_what_an_administrator_must_change_makes_a_provider_failed():
    observer = Observer()
    kinds = ["unusable", "unusable", "ok"]
    told = [observer.observe(1, kind) for kind in kinds]
    assert told == ["failed", None, "available"]


def test_the_first_success_makes_it_available_again():
    observer = Observer()
    for _ in range(5):
        observer.observe(1, "unreachable")
    assert observer.observe(1, "ok") == "available"
    assert observer.observe(1, "ok") is None


@pytest.mark.proves("7.3")
def test_what_the_client_got_wrong_changes_nothing():
    observer = Observer()
    assert [observer.observe(1, "ignored") for _ in range(50)] == [None] * 50


def test_providers_are_observed_apart():
    observer = Observer()
    for _ in range(4):
        observer.observe(1, "unreachable")
    assert observer.observe(2, "unreachable") is None


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def failures(observer, model, times):
    return [observer.observe(1, "failed", model) for _ in range(times)]


def test_a_model_that_fails_makes_its_provider_unavailable():
    observer = Observer()
    assert failures(observer, "a", 6) == [None] * 4 + ["unavailable", None]


def test_a_broken_model_says_nothing_of_a_sibling_that_answers():
    clock = Clock()
    observer = Observer(clock)
    told = failures(observer, "broken", 4)
    for _ in range(20):
        clock.now += 20
        told.append(observer.observe(1, "ok", "a"))
        told += failures(observer, "broken", 9)
    assert "unavailable" not in told


def test_a_model_that_answered_before_its_sibling_failed_does_not_speak_for_it():
    observer = Observer(clock := Clock())
    observer.observe(1, "ok", "a")
    clock.now += 1
    assert failures(observer, "b", 5)[-1] == "unavailable"


def test_a_model_that_answered_long_ago_speaks_for_its_provider_no_more():
    clock = Clock()
    observer = Observer(clock)
    failures(observer, "a", 1)
    observer.observe(1, "ok", "b")
    assert failures(observer, "a", 9) == [None] * 9
    clock.now += 61
    assert failures(observer, "a", 1) == ["unavailable"]


def test_models_that_all_fail_make_a_provider_unavailable():
    observer = Observer(clock := Clock())
    failures(observer, "a", 1)
    clock.now += 1
    observer.observe(1, "ok", "b")
    clock.now += 1
    assert failures(observer, "a", 9) == [None] * 9
    assert failures(observer, "b", 5)[-1] == "unavailable"


def test_a_provider_that_fails_was_reached():
    observer = Observer()
    kinds = ["unreachable"] * 4 + ["failed"] + ["unreachable"] * 4
    assert [observer.observe(1, kind, "a") for kind in kinds] == [None] * 9


def test_a_concluded_status_is_stored(saved):
    row = saved("one")
    row.set_status("available", "Connected in 3 ms.")
    asyncio.run(status.store(row.pk, "unavailable", "It cannot be reached."))
    row.refresh_from_db()
    assert (row.status, row.status_message) == ("unavailable", "It cannot be reached.")


def test_a_known_status_keeps_its_message(saved):
    row = saved("one")
    row.set_status("available", "Connected in 3 ms.")
    asyncio.run(status.store(row.pk, "available"))
    row.refresh_from_db()
    assert row.status_message == "Connected in 3 ms."


def test_the_sandbox_keeps_saying_what_it_is(transactional_db, provider):
    row = provider("playground", endpoint=starter.sandbox_endpoint())
    asyncio.run(status.store(row.pk, "available"))
    row.refresh_from_db()
    assert row.status_message == starter.SANDBOX_NOTE

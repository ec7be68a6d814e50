"""`/api/v1` keeps RunAgents' contract and never gives a secret away."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from providers import attempts, starter
from providers.models import ModelProvider, Secret, WorkspaceKey
from runagents.agents.models import Agent, AgentKey, Wire

pytestmark = pytest.mark.django_db

# Its end stands in no id or time by chance.
CANARY = "sk-canary-0123456789uvwxyz"
OPENAI = {
    "name": "openai-prod",
    "spec": {
        "provider": "openai",
        "endpoint": "https://api.openai.com",
        "models": ["gpt-4o", "gpt-4o-mini"],
        "auth": {
            "type": "APIKey",
            "apiKeyConfig": {
                "in": "Header",
                "name": "Authorization",
                "valuePrefix": "Bearer ",
                "secretRef": {"name": "openai-api-key"},
            },
        },
        "rateLimit": {"requestsPerMinute": 500},
    },
}


class API:
    """A program with a workspace key."""

    def __init__(self):
        key = WorkspaceKey.issue("ci").plaintext
        self.client = Client(enforce_csrf_checks=True)
        self.headers = {"X-RunAgents-API-Key": key}

    def ask(self, method, path, body=None, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(
            method,
            f"/api/v1{path}",
            b"" if body is None else data,
            "application/json",
            headers=self.headers | headers,
        )

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=None):
        return self.ask("POST", path, body)

    def delete(self, path):
        return self.ask("DELETE", path)


@pytest.fixture
def api(db):
    return API()


@pytest.fixture
def secret(api):
    """A stored secret without origins, for the first provider that names it."""
    answer = api.post(
        "/secrets", {"name": "openai-api-key", "data": {"api_key": CANARY}}
    )
    assert answer.status_code == 201


def changed(thing, **spec):
    return {**thing, "spec": {**thing["spec"], **spec}}


# --- who may ask ---


def test_the_key_is_taken_in_either_header(api):
    key = api.headers["X-RunAgents-API-Key"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert api.get("/model-providers").json() == []
    assert Client().get("/api/v1/model-providers", headers=bearer).json() == []
    assert api.ask("GET", "/model-providers", **bearer).status_code == 200


def test_two_different_keys_are_refused(api):
    answer = api.ask("GET", "/model-providers", Authorization="Bearer ra_ws_other")
    assert answer.status_code == 400


def refused_keys():
    live = WorkspaceKey.issue("revoked")
    WorkspaceKey.objects.get(digest=live.digest).revoke()
    agent = AgentKey.issue(Agent.objects.create(name="a"))
    return [
        None,
        "",
        "ra_ws_nonsense",
        "' OR 1=1 --",
        WorkspaceKey.issue("x").plaintext[:-1] + "!",
        live.plaintext,
        agent.plaintext,
    ]


def test_every_other_key_gets_the_same_answer(db):
    answers = set()
    for key in refused_keys():
        headers = {} if key is None else {"X-RunAgents-API-Key": key}
        answer = Client().get("/api/v1/model-providers", headers=headers)
        answers.add((answer.status_code, answer.content))
    assert answers == {(401, b'{"error":"Missing or invalid API key."}')}


def ask_with(key):
    headers = {"X-RunAgents-API-Key": key.plaintext}
    return Client().get("/api/v1/model-providers", headers=headers)


def test_the_holder_of_an_expired_key_is_told_the_date(db):
    key = WorkspaceKey.issue("old")
    WorkspaceKey.objects.update(expires_at=datetime(2026, 1, 2, tzinfo=UTC))
    answer = ask_with(key)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "This API key expired on 2026-01-02 at 00:00 UTC."
    }


def test_an_expired_key_is_no_wrong_key(db):
    key = WorkspaceKey.issue("old")
    WorkspaceKey.objects.update(expires_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert {ask_with(key).status_code for _ in range(62)} == {401}


def test_a_paused_key_is_refused_in_words_until_it_is_resumed(db):
    key = WorkspaceKey.issue("resting")
    WorkspaceKey.objects.get().pause(paused=True)
    answer = ask_with(key)
    assert answer.status_code == 403
    assert "paused" in answer.json()["error"]
    WorkspaceKey.objects.get().pause(paused=False)
    assert ask_with(key).status_code == 200


def test_a_browser_session_opens_nothing(logged_in_client):
    assert logged_in_client.get("/api/v1/model-providers").status_code == 401


def test_sixty_wrong_keys_a_minute_are_enough(db):
    answers = [Client().get("/api/v1/secrets").status_code for _ in range(61)]
    assert answers == [401] * 60 + [429]
    last = Client().get("/api/v1/secrets")
    assert 1 <= int(last["Retry-After"]) <= 60


def test_a_valid_key_works_beside_wrong_ones_from_its_address(api):
    for _ in range(61):
        Client().get("/api/v1/secrets")
    assert api.get("/secrets").status_code == 200


def test_wrong_keys_are_forgotten_after_a_minute():
    now = [0.0]
    failures = attempts.Allowance(60, lambda: now[0])
    assert [failures.add("a") for _ in range(60)] == [0.0] * 60
    now[0] = 10.0
    assert failures.add("a") == 50.0
    assert failures.add("b") == 0.0
    now[0] = 60.0
    assert failures.add("a") == 0.0


def test_addresses_come_from_trusted_proxies_only(settings):
    forwarded = "6.6.6.6, 7.7.7.7"
    assert attempts.client_address("127.0.0.1", forwarded) == "127.0.0.1"
    settings.TRUSTED_PROXIES = 1
    assert attempts.client_address("127.0.0.1", forwarded) == "7.7.7.7"
    assert attempts.client_address("127.0.0.1", "no address") == "unknown"


def test_using_a_key_is_noted(api):
    api.get("/secrets")
    assert WorkspaceKey.objects.get().last_used_at is not None


# --- model providers ---


def test_a_provider_is_created_as_documented(api, secret):
    answer = api.post("/model-providers", OPENAI)
    assert answer.status_code == 201
    created = answer.json()
    assert created["status"] == {"phase": "Pending", "message": ""}
    assert created["spec"]["options"] == {
        "private_network": False,
        "priority": 100,
        "enabled": True,
    }
    del created["spec"]["options"], created["status"], created["namespace"]
    for field in ("provider", "endpoint", "models"):
        assert created.pop(field) == created["spec"][field]
    assert created == OPENAI
    assert ModelProvider.objects.get().credentials() == {"api_key": CANARY}


def test_posting_again_updates_and_keeps_what_is_left_out(api, secret):
    api.post("/model-providers", OPENAI)
    update = {"name": "openai-prod", "spec": {"models": ["gpt-4.1"]}}
    answer = api.post("/model-providers", update)
    assert answer.status_code == 201
    spec = answer.json()["spec"]
    assert spec["models"] == ["gpt-4.1"]
    assert spec["rateLimit"] == {"requestsPerMinute": 500}
    assert spec["auth"] == OPENAI["spec"]["auth"]


def test_the_limit_is_removed_by_null(api, secret):
    api.post("/model-providers", OPENAI)
    update = {"name": "openai-prod", "spec": {"rateLimit": None}}
    assert "rateLimit" not in api.post("/model-providers", update).json()["spec"]


def test_the_flat_form_is_read_too(api, secret):
    flat = {"name": "openai-prod", **OPENAI["spec"], "status": "Available"}
    answer = api.post("/model-providers", flat)
    assert answer.status_code == 201
    assert answer.json()["spec"]["models"] == ["gpt-4o", "gpt-4o-mini"]


def test_the_provider_type_is_read_in_any_case(api, secret):
    answer = api.post("/model-providers", changed(OPENAI, provider="OpenAI"))
    assert answer.json()["spec"]["provider"] == "openai"


def test_anthropics_header_has_no_prefix(api, secret):
    auth = {
        "apiKeyConfig": {"name": "x-api-key", "secretRef": {"name": "openai-api-key"}}
    }
    body = changed(
        OPENAI, provider="anthropic", endpoint="https://api.anthropic.com", auth=auth
    )
    config = api.post("/model-providers", body).json()["spec"]["auth"]["apiKeyConfig"]
    assert (config["name"], config["valuePrefix"]) == ("x-api-key", "")


def test_bedrock_takes_region_and_aws_keys(api):
    data = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": CANARY}
    api.post("/secrets", {"name": "aws", "data": data})
    spec = {
        "provider": "bedrock",
        "endpoint": "https://bedrock-runtime.eu-west-1.amazonaws.com",
        "models": ["us.anthropic.claude-opus-4-6-v1"],
        "auth": {
            "type": "AWSSignature",
            "awsConfig": {
                "region": "eu-west-1",
                "credentialsSecretRef": {"name": "aws"},
            },
        },
        "options": {"bedrock_api": "converse"},
    }
    answer = api.post("/model-providers", {"name": "bedrock", "spec": spec})
    assert answer.status_code == 201, answer.content
    assert answer.json()["spec"]["auth"] == spec["auth"]
    assert answer.json()["spec"]["options"]["bedrock_api"] == "converse"


def test_ollama_needs_no_secret_and_may_be_private(api):
    spec = {
        "provider": "ollama",
        "endpoint": "http://ollama.internal:11434",
        "models": ["llama3.1"],
        "auth": {"type": "None"},
    }
    answer = api.post("/model-providers", {"name": "ollama-local", "spec": spec}).json()
    assert answer["spec"]["auth"] == {"type": "None"}
    assert answer["spec"]["options"]["private_network"] is True


def test_oauth2_keeps_its_urls_and_scopes(api):
    data = {"client_id": "me", "client_secret": CANARY}
    api.post("/secrets", {"name": "oauth", "data": data})
    config = {
        "authUrl": "",
        "tokenUrl": "https://login.example.com/token",
        "scopes": ["a", "b"],
        "authParams": {"audience": "llm"},
        "clientAuth": "client_secret_post",
        "credentialsSecretRef": {"name": "oauth"},
    }
    auth = {"type": "OAuth2", "oauth2Config": config}
    answer = api.post("/model-providers", changed(OPENAI, auth=auth))
    assert answer.status_code == 201, answer.content
    assert answer.json()["spec"]["auth"] == auth


def test_models_may_carry_prices_and_capabilities(api, secret):
    settings = {
        "upstream_id": "gpt-4o-mini-2024-07-18",
        "prices": {"input": 0.15, "output": 0.6},
        "capabilities": {"vision": True},
    }
    models = ["gpt-4o", {"id": "fast", **settings}]
    shown = api.post("/model-providers", changed(OPENAI, models=models)).json()
    # As RunAgents' own document has it: bare ids, and the rest among the options.
    assert shown["spec"]["models"] == ["gpt-4o", "fast"]
    assert shown["spec"]["options"]["models"] == {"fast": settings}
    again = api.post("/model-providers", {"name": "again", "spec": shown["spec"]})
    assert again.status_code == 201, again.content
    assert again.json()["spec"] == shown["spec"]
    row = ModelProvider.objects.get(name="again").provider_models.get(model_id="fast")
    assert (row.upstream_id, row.capabilities) == (
        settings["upstream_id"],
        {"vision": True},
    )
    # Ids alone leave what is stored.
    bare = changed(OPENAI, models=["gpt-4o", "fast"])
    kept = api.post("/model-providers", bare).json()
    assert kept["spec"]["options"]["models"] == {"fast": settings}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ([], "spec.options.models: must be an object of settings by model id."),
        ({"o3": {}}, "spec.options.models.o3: is not among the ids in `models`."),
        ({"gpt-4o": 1}, "spec.options.models.gpt-4o: must be an object of settings."),
        ({"gpt-4o": {"id": "x"}}, "spec.options.models.gpt-4o: must be an object"),
        ({"gpt-4o": {"speed": 1}}, "unknown field `speed`"),
    ],
)
def test_wrong_settings_of_models_are_told(api, secret, settings, problem):
    thing = changed(OPENAI, models=["gpt-4o"], options={"models": settings})
    answer = api.post("/model-providers", thing)
    assert answer.status_code == 400
    assert problem in answer.json()["error"]


def test_what_the_command_line_reads_stands_beside_the_spec(api, secret):
    shown = api.post("/model-providers", OPENAI).json()
    for field in ("provider", "endpoint", "models"):
        assert shown[field] == shown["spec"][field]
    assert shown["status"]["phase"] == "Pending"
    # What was shown is taken back as it is.
    assert api.post("/model-providers", shown).status_code == 201


def test_one_provider_is_shown_and_deleted(api, secret):
    api.post("/model-providers", OPENAI)
    assert api.get("/model-providers/openai-prod").json()["name"] == "openai-prod"
    answer = api.delete("/model-providers/openai-prod")
    assert (answer.status_code, answer.json()) == (200, {"status": "deleted"})
    gone = api.get("/model-providers/openai-prod")
    assert gone.status_code == 404
    assert gone.json() == {"error": 'model provider "openai-prod" not found'}


def test_a_wired_provider_is_not_deleted(api, provider):
    wired = provider()
    agent = Agent.objects.create(name="support")
    Wire.objects.create(agent=agent, provider=wired, model_id="gpt-4o-mini")
    answer = api.delete("/model-providers/openai")
    assert answer.status_code == 409
    assert "wired to support" in answer.json()["error"]


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        ({"provider": "gemini"}, "spec.provider", "openai, anthropic"),
        ({"endpoint": ""}, "spec.endpoint", "address"),
        ({"endpoint": "http://example.com"}, "spec.endpoint", "https"),
        ({"endpoint": 5}, "spec.endpoint", "must be text"),
        ({"models": []}, "spec.models", "at least one"),
        ({"models": "gpt-4o"}, "spec.models", "list"),
        ({"rateLimit": {"requestsPerMinute": "9"}}, "spec.rateLimit.requ", "whole"),
        ({"rateLimit": {"requestsPerMinute": -1}}, "spec.rateLimit.requ", "Less"),
        ({"auth": {"type": "mTLS"}}, "spec.auth.type", "APIKey"),
        (
            {"auth": {"apiKeyConfig": {"in": "Query"}}},
            "spec.auth.apiKeyConfig.in",
            "logs",
        ),
        (
            {"auth": {"apiKeyConfig": {"secretRef": {"name": "missing"}}}},
            "spec.auth.apiKeyConfig.secretRef",
            "no secret named `missing`",
        ),
        (
            {"auth": {"apiKeyConfig": {"secretRef": "x"}}},
            "spec.auth.apiKeyConfig",
            "name",
        ),
        (
            {"auth": {"apiKeyConfig": {"name": "Host"}}},
            "spec.auth.apiKeyConfig.name",
            "Host",
        ),
        ({"options": {"nonsense": 1}}, "spec.options", "nonsense"),
        ({"options": {"timeouts": "5"}}, "spec.options", "timeouts"),
        ({"options": {"priority": "high"}}, "spec.options.priority", "whole"),
        ({"options": {"enabled": "yes"}}, "spec.options.enabled", "true or false"),
        ({"modles": ["x"]}, "spec.modles", "not a field"),
    ],
)
def test_a_mistake_is_named_by_its_path(api, secret, spec, path, words):
    answer = api.post("/model-providers", changed(OPENAI, **spec))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error.startswith(path)
    assert words in error
    assert not ModelProvider.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"NaN", b"[" * 100000])
def test_what_is_not_a_json_object_is_refused(api, body):
    answer = api.ask("POST", "/model-providers", body)
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)


def test_a_name_is_required(api):
    assert api.post("/model-providers", {"spec": {}}).json()["error"] == (
        "name: is required."
    )


def test_a_stored_secret_is_not_sent_to_another_host(api, secret):
    api.post("/model-providers", OPENAI)
    moved = changed(OPENAI, endpoint="https://evil.example.com")
    answer = api.post("/model-providers", moved)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(
        "spec.auth.apiKeyConfig.secretRef.name: Enter the API key again"
    )
    assert ModelProvider.objects.get().endpoint == "https://api.openai.com"


def test_a_check_tells_and_stores_the_outcome(api, provider):
    provider()
    answer = api.post("/model-providers/openai/check")
    assert answer.status_code == 200
    shown = answer.json()["status"]
    assert shown["phase"] == "Unavailable"
    assert "127.0.0.1:9" in shown["message"]
    assert ModelProvider.objects.get().status == "unavailable"
    assert answer.json()["check"]["httpStatus"] is None


def test_ten_checks_a_minute_are_enough(api, settings):
    settings.PLAYGROUND_LLM_API_KEY = ""
    starter.add_playground_llm()
    path = "/model-providers/playground-llm/check"
    answers = [api.post(path).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def test_an_unknown_provider_is_not_checked(api):
    assert api.post("/model-providers/nobody/check").status_code == 404


# --- secrets ---


def test_a_secret_is_never_read_back(api, secret):
    api.post("/model-providers", OPENAI)
    for place in ("/secrets", "/secrets/openai-api-key", "/model-providers"):
        answer = api.get(place).content.decode()
        assert "openai-api-key" in answer
        assert CANARY not in answer
        assert CANARY[-4:] not in answer
    shown = api.get("/secrets").json()[0]
    assert shown["keys"] == ["api_key"]
    assert shown["origins"] == ["https://api.openai.com:443"]
    assert shown["usedBy"] == ["openai-prod"]


def test_storing_a_secret_again_replaces_its_values_only(api, secret):
    api.post("/model-providers", OPENAI)
    ModelProvider.objects.get().set_status("available")
    api.post("/secrets", {"name": "openai-api-key", "data": {"api_key": "sk-new"}})
    provider = ModelProvider.objects.get()
    assert provider.credentials() == {"api_key": "sk-new"}
    assert provider.status == "pending"


def test_origins_are_kept_in_one_spelling(api):
    origins = ["https://API.example.com", "region:us-east-1", "https://a.b/token"]
    data = {"api_key": "k"}
    answer = api.post("/secrets", {"name": "s", "data": data, "origins": origins})
    assert answer.json()["origins"] == [
        "https://a.b/token",
        "https://api.example.com:443",
        "region:us-east-1",
    ]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "S!", "data": {"api_key": "k"}}, "name"),
        ({"name": "s"}, "data"),
        ({"name": "s", "data": {"api_key": ""}}, "data.api_key"),
        ({"name": "s", "data": {"password": "k"}}, "data.password"),
        ({"name": "s", "data": {"api_key": "two words"}}, "data.api_key"),
        ({"name": "s", "data": {"api_key": "k", "client_id": "c"}}, "data"),
        ({"name": "s", "data": {"aws_access_key_id": "A"}}, "data.aws_secret"),
        ({"name": "s", "data": {"api_key": "k"}, "origins": ["x"]}, "origins[0]"),
        ({"name": "s", "data": {"api_key": "k"}, "value": "v"}, "value"),
    ],
)
def test_a_wrong_secret_is_named_without_its_value(api, body, path):
    answer = api.post("/secrets", body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(path)
    assert "two words" not in answer.json()["error"]


def test_a_secret_in_use_is_not_deleted(api, secret):
    api.post("/model-providers", OPENAI)
    answer = api.delete("/secrets/openai-api-key")
    assert answer.status_code == 409
    assert "openai-prod" in answer.json()["error"]
    api.delete("/model-providers/openai-prod")
    assert api.delete("/secrets/openai-api-key").json() == {"status": "deleted"}
    assert not Secret.objects.exists()


# --- the rest ---


def test_the_starter_kit_is_made_once(api, settings):
    settings.PLAYGROUND_LLM_API_KEY = ""
    first = api.post("/starter-kit")
    assert first.status_code == 201
    assert first.json()["model_provider_created"] == "playground-llm"
    assert starter.SANDBOX_NOTE in first.json()["message"]
    assert api.get("/model-providers").json()[0]["spec"]["models"] == ["gpt-4o-mini"]
    again = api.post("/starter-kit")
    assert "model_provider_created" not in again.json()
    assert ModelProvider.objects.count() == 1


def test_keys_are_listed_without_their_tokens(api):
    (listed,) = api.get("/auth/api-keys").json()
    assert listed["name"] == "ci"
    assert listed["prefix"] == "ra_ws"
    assert api.headers["X-RunAgents-API-Key"].endswith(listed["last4"])
    assert api.headers["X-RunAgents-API-Key"] not in json.dumps(listed)


def test_a_new_key_shows_its_token_once_and_works(api):
    answer = api.post("/auth/api-keys", {"name": "deploy", "expiresInDays": 30})
    assert answer.status_code == 201
    created = answer.json()
    assert created["header"] == "X-RunAgents-API-Key"
    assert created["key"]["expiresAt"] > created["key"]["createdAt"]
    api.headers = {"X-RunAgents-API-Key": created["token"]}
    assert created["token"] not in api.get("/auth/api-keys").content.decode()


def test_a_key_has_what_the_consoles_form_decides(api, provider):
    provider()
    terms = {"name": "ci-2", "lastDay": "2099-12-31", "models": ["openai/*"]}
    key = api.post("/auth/api-keys", {**terms, "paused": True}).json()["key"]
    assert key["models"] == ["openai/*"]
    assert key["expiresAt"] == "2100-01-01T00:00:00+00:00"
    assert key["paused"] is True
    url = f"/auth/api-keys/{key['id']}"
    changed = {"name": "ci-3", "lastDay": None, "models": [], "paused": False}
    answer = api.ask("PATCH", url, changed)
    assert answer.status_code == 200
    assert "expiresAt" not in answer.json()
    assert {name: answer.json()[name] for name in ("name", "models", "paused")} == {
        "name": "ci-3",
        "models": [],
        "paused": False,
    }


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"lastDay": "2020-01-01"}, "lastDay: This day is over."),
        ({"lastDay": "soon"}, "lastDay: Write the day as 2030-12-31."),
        ({"lastDay": 1}, "lastDay: must be a day"),
        ({"models": ["gpt-9"]}, "models: Nobody serves `gpt-9`."),
        ({"models": "gpt-9"}, "models: must be a list of texts."),
        ({"paused": "no"}, "paused: must be true or false."),
        ({"name": None}, "name: "),
    ],
)
def test_wrong_terms_of_a_key_are_named(api, terms, words):
    (listed,) = api.get("/auth/api-keys").json()
    answer = api.ask("PATCH", f"/auth/api-keys/{listed['id']}", terms)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert api.get("/auth/api-keys").json() == [listed]


def test_rotating_replaces_the_token(api):
    old = api.headers
    (listed,) = api.get("/auth/api-keys").json()
    token = api.post(f"/auth/api-keys/{listed['id']}/rotate").json()["token"]
    assert api.get("/secrets").status_code == 401
    api.headers = {"X-RunAgents-API-Key": token}
    assert api.get("/secrets").status_code == 200
    assert old != api.headers


def test_a_deleted_key_is_refused(api):
    created = api.post("/auth/api-keys", {"name": "x"}).json()
    key_id = created["key"]["id"]
    assert api.delete(f"/auth/api-keys/{key_id}").json() == {"status": "deleted"}
    assert api.post(f"/auth/api-keys/{key_id}/rotate").status_code == 404
    api.headers = {"X-RunAgents-API-Key": created["token"]}
    assert api.get("/secrets").status_code == 401


def test_errors_are_flat_json_everywhere(api):
    assert Client().get("/api/v1/nothing").status_code == 401
    missing = api.get("/nothing")
    assert (missing.status_code, list(missing.json())) == (404, ["error"])
    wrong = api.delete("/model-providers")
    assert (wrong.status_code, wrong["Allow"]) == (405, "GET, POST")


def test_a_nul_is_refused_everywhere(api):
    assert api.post("/secrets", {"name": "a\0b"}).status_code == 400
    assert api.get("/model-providers/a%00b").status_code == 404


def test_nothing_is_cached(api):
    assert api.get("/secrets")["Cache-Control"] == "no-store"


def test_the_version_may_be_left_out_of_the_path(client, provider):
    provider()
    key = WorkspaceKey.issue("cli").plaintext
    answer = client.get("/api/model-providers", headers={"x-runagents-api-key": key})
    assert [found["name"] for found in answer.json()] == ["openai"]

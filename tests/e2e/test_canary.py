"""Planted secrets, every path a call can take, and then a search through everything.

Nothing that leaves the server or stays behind may hold one: output at DEBUG level,
pages, API, export, errors, the usage spool, the database with its journal.
"""

import base64
import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import ADMINISTRATOR, Server
from tests.e2e.raw import Connection, chat_body, request
from tests.e2e.replay import Received, Replay, Reply, json_reply

SECRETS = {
    "API_KEY": "canary-apikey-3f9a/7c+1e=",
    "PLAIN_KEY": "canaryPlainKey5d21b8",
    "ACCESS_ID": "CANARYACCESSKEYID0001",
    "ACCESS_SECRET": "canary/aws/secret+key/9b2d",
    "SESSION_TOKEN": "canary-session-token//8e1f==",
    "BEDROCK_KEY": "canary-bedrock-bearer-77aa",
    "CLIENT_ID": "canary-client-id-41c0",
    "CLIENT_SECRET": "canary-client-secret:5e&9%",
    "CLAUDE_KEY": "canary-claude-key/0d4e+2=",
}
# Entered while the server runs: by form, over HTTP, and into the wrong field.
ENTERED = {
    "REPLACED_KEY": "canary-replaced-key/66f0",
    "POSTED_KEY": "canary-posted-key+77ab",
    "PASSWORD_AS_NAME": "canary-password-typed-as-a-name",
    "WRONG_PASSWORD": "canary-password-that-is-wrong",
}
TOKEN = "canary-access-token-c0ffee11"
PROMPT = "canary-prompt-please-tell-nobody"
CLIENT_HEADERS = {
    "Cookie": "session=canary-client-cookie-11",
    "X-Custom-Secret": "canary-client-header-22",
    "User-Agent": "canary-client-agent-33",
}
# What an installation keeps on purpose, readable by its owner alone.
KEY_FILES = {"secret_key", "encryption_key"}

PROVIDERS = ("key", "plain", "aws", "session", "bearer", "oauth")
PATHS = ("ok", "echo-error", "echo-refusal", "echo-answer", "echo-page", "echo-stream")


def everything_about(received: Received) -> str:
    """Return all that a request told us, as a careless upstream quotes it."""
    return " ".join(f"{name}={value}" for name, value in received.headers)


def careless(received: Received) -> Reply:
    """Answer as the path says, quoting the credentials in headers and body."""
    said = everything_about(received)
    secret = received.header("authorization") or received.header("x-api-key") or ""
    headers = {"x_echo": said, "x_request_id": secret, "x_ratelimit_reset": secret}
    kind = received.path.split("/")[2]
    message: dict[str, Any] = {"message": f"Incorrect key provided: {said}"}
    match kind:
        case "echo-refusal":
            return json_reply({"error": message, **message}, 401, **headers)
        case "echo-error":
            return json_reply({"error": message, **message}, 400, **headers)
        case "echo-page":
            page = f"<html><body>{said}</body></html>".encode()
            return Reply(500, [page], {"content-type": "text/html"})
    changed = received.json
    for each in changed["messages"]:
        each["content"] = (
            said
            if isinstance(each["content"], str)
            else [{**part, "text": said} for part in each["content"]]
        )
    received = Received(
        received.method,
        received.target,
        received.headers,
        httpx.Request("POST", "http://x", json=changed).content,
        received.at,
    )
    if "/model/" in received.path:
        reply = dialects.bedrock(received)
    else:
        reply = dialects.openai(received)
    hyphened = {name.replace("_", "-"): value for name, value in headers.items()}
    reply.headers = {**reply.headers, **hyphened}
    return reply


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A provider for each kind of credential and each way to be careless with it."""
    rows = []
    for name in PROVIDERS:
        for path in PATHS:
            prefix = f"/{name}/{path}"
            replay.route(prefix, careless)
            if path == "ok":
                dialects.install(replay, prefix)
            rows.append(provider(f"{name}-{path}", name, replay.url + prefix))
        replay.route(f"/{name}/token", token)
    rows.append(provider("oauth-no-token", "oauth", f"{replay.url}/broken/ok"))
    replay.route("/broken/token", broken_token)
    replay.route("/claude", pausing)
    claude = registries.anthropic(
        "claude", f"{replay.url}/claude", *CLAUDES, server_web_search=True
    )
    rows.append(registries.with_key(claude, "claude", "x-api-key"))
    keys = {"aws_access_key_id": "ACCESS_ID", "aws_secret_access_key": "ACCESS_SECRET"}
    registry = registries.registry(
        *rows,
        key={"api_key": "API_KEY"},
        plain={"api_key": "PLAIN_KEY"},
        aws=keys,
        session={**keys, "aws_session_token": "SESSION_TOKEN"},
        bearer={"bedrock_api_key": "BEDROCK_KEY"},
        oauth={"client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET"},
        claude={"api_key": "CLAUDE_KEY"},
        spare={"api_key": "API_KEY"},
    )
    return server(registry, SECRETS, LOG_LEVEL="DEBUG")


CLAUDES = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")


def pausing(received: Received) -> Reply:
    """Pause, and then quote the credentials: in text, in a refusal, in an error."""
    said = everything_about(received)
    body = received.json
    error = {"type": "error", "error": {"type": "api_error", "message": said}}
    search = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    start = {"id": "m", "type": "message", "role": "assistant", "content": []}
    usage = {"input_tokens": 3, "output_tokens": 1}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**start, "usage": usage}}
    ]
    is_second = body["messages"][-1]["role"] == "assistant"
    if is_second and body["model"] == CLAUDES[0]:
        return json_reply(error, 529)
    block = {"type": "text", "text": said} if is_second else search
    events += [
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_stop", "index": 0},
    ]
    if is_second and body["model"] == CLAUDES[1]:
        events.append(error)
    else:
        reason = {"stop_reason": "end_turn" if is_second else "pause_turn"}
        events.append({"type": "message_delta", "delta": reason, "usage": usage})
        events.append({"type": "message_stop"})
    parts = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in events]
    return Reply(200, parts, {"content-type": "text/event-stream"})


def provider(name: str, kind: str, endpoint: str) -> registries.Provider:
    """Return a provider whose model has its name."""
    claude = {"id": name, "upstream_id": "anthropic.claude-3-5-sonnet-20240620-v1:0"}
    match kind:
        case "key":
            row = registries.openai(name, endpoint, name)
            return registries.with_key(row, "key", "Authorization", "Bearer ")
        case "plain":
            row = registries.openai(name, endpoint, name)
            return registries.with_key(row, "plain", "x-api-key")
        case "oauth":
            row = registries.openai(name, endpoint, name)
            url = endpoint.rpartition("/")[0] + "/token"
            return registries.with_oauth2(row, "oauth", url)
    row = registries.bedrock(name, endpoint, claude)
    return registries.with_aws(row, kind, "us-east-1")


def token(received: Received) -> Reply:
    """Give the access token."""
    return json_reply({"access_token": TOKEN, "token_type": "Bearer"})


def broken_token(received: Received) -> Reply:
    """Refuse, quoting what came."""
    text = f"{everything_about(received)} {received.body.decode()}"
    return json_reply({"error": "invalid_client", "error_description": text}, 401)


@pytest.fixture(scope="module")
def keys(gateway: Server) -> dict[str, str]:
    """The keys that we issue."""
    made = {"agent": gateway.key("canary-agent")}
    made["workspace"] = gateway.key("canary-workspace", workspace=True)
    return made


@pytest.fixture(scope="module")
def answers(gateway: Server, replay: Replay, keys: dict[str, str]) -> dict[str, str]:
    """Every call, whole and streamed: what the client got, headers included."""
    found = {}
    headers = {**CLIENT_HEADERS, "Authorization": f"Bearer {keys['agent']}"}
    models = [f"{name}-{path}" for name in PROVIDERS for path in PATHS]
    for model in [*models, "oauth-no-token"]:
        for stream in (False, True):
            body = {"stream": stream, "user": "someone"}
            response = gateway.chat(model, PROMPT, headers=headers, **body)
            shown = f"{response.status_code} {dict(response.headers)} {response.text}"
            found[f"{model} {stream}"] = shown
    wrong = {**CLIENT_HEADERS, "Authorization": f"Bearer {keys['agent']}x"}
    found["wrong key"] = gateway.chat("key-ok", PROMPT, headers=wrong).text
    both = {"Authorization": f"Bearer {keys['agent']}", "x-api-key": keys["workspace"]}
    found["both keys"] = gateway.chat("key-ok", PROMPT, headers=both).text
    odd = gateway.chat("key-ok", PROMPT, headers=headers, temperature="hot")
    found["odd field"] = odd.text
    return found


def spellings(keys: dict[str, str]) -> dict[bytes, str]:
    """Return what to look for -> whose secret it is."""
    values = {
        **SECRETS,
        **ENTERED,
        **{f"our {name} key": key for name, key in keys.items()},
    }
    values["access token"] = TOKEN
    del values["CLIENT_ID"], values["ACCESS_ID"]
    pair = f"{SECRETS['CLIENT_ID']}:{SECRETS['CLIENT_SECRET']}"
    found = {pair.encode(): "the client's id and secret"}
    for name, value in [*values.items(), ("basic", pair)]:
        found[value.encode()] = name
        found[quote(value, safe="").encode()] = f"{name}, quoted"
        found[base64.b64encode(value.encode()).rstrip(b"=")] = f"{name}, base64"
    return found


def leaks(text: str | bytes, wanted: dict[bytes, str]) -> list[str]:
    """Return the names of the secrets in `text`."""
    data = text.encode() if isinstance(text, str) else text
    return [name for value, name in wanted.items() if value in data]


def prompts(text: str | bytes) -> list[str]:
    """Return what of the client's own is in `text`."""
    data = text.encode() if isinstance(text, str) else text
    own = [PROMPT, *(value.rpartition("=")[2] for value in CLIENT_HEADERS.values())]
    return [each for each in own if each.encode() in data]


@pytest.fixture(scope="module")
def paused(gateway: Server, keys: dict[str, str], replay: Replay) -> list[str]:
    """Streams that pause, and whose second part quotes the credentials."""
    headers = {**CLIENT_HEADERS, "Authorization": f"Bearer {keys['agent']}"}
    found = []
    for model in CLAUDES:
        body = {"stream": True, "web_search_options": {}}
        found.append(gateway.chat(model, PROMPT, headers=headers, **body).text)
    return found


def test_a_stream_that_goes_on_holds_no_secret(paused, replay, keys):
    calls = [each for each in replay.calls if each.path.startswith("/claude/")]
    assert len(calls) == 2 * len(CLAUDES)
    assert {each.header("x-api-key") for each in calls} == {SECRETS["CLAUDE_KEY"]}
    assert ["[redacted]" in text for text in paused] == [True, True, True]
    assert [leaks(text, spellings(keys)) for text in paused] == [[], [], []]


@pytest.mark.proves("4.6")
def test_every_secret_was_used(answers, replay):
    sent = "\n".join(everything_about(each) for each in replay.received)
    used = [SECRETS[name] for name in ("API_KEY", "PLAIN_KEY", "ACCESS_ID")]
    used += [SECRETS["SESSION_TOKEN"], SECRETS["BEDROCK_KEY"], TOKEN]
    assert [secret for secret in used if secret not in sent] == []
    basic = [each for each in replay.received if each.path.endswith("/token")]
    assert basic


def test_calls_end_as_they_should(answers):
    statuses = {name: text[:3] for name, text in answers.items()}
    assert {statuses[f"{name}-ok False"] for name in PROVIDERS} == {"200"}
    assert {statuses[f"{name}-echo-refusal True"] for name in PROVIDERS} == {"502"}
    assert {statuses[f"{name}-echo-error False"] for name in PROVIDERS} == {"400"}
    assert statuses["oauth-no-token False"] == "502"


@pytest.mark.proves("4.6")
def test_no_answer_holds_a_secret(answers, keys):
    wanted = spellings(keys)
    found = {name: leaks(text, wanted) for name, text in answers.items()}
    assert {name: names for name, names in found.items() if names} == {}


def test_the_clients_headers_stay_here(answers, replay):
    for received in replay.calls:
        said = everything_about(received)
        for value in CLIENT_HEADERS.values():
            assert value not in said


@pytest.fixture(scope="module")
def console(gateway: Server, answers: dict[str, str]) -> Iterator[httpx.Client]:
    """The administrator's browser."""
    with httpx.Client(
        base_url=gateway.url, trust_env=False, follow_redirects=True, timeout=60
    ) as client:
        client.get("/login/")
        form = {
            "username": ADMINISTRATOR["DJANGO_SUPERUSER_USERNAME"],
            "password": ADMINISTRATOR["DJANGO_SUPERUSER_PASSWORD"],
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        }
        wrong = {"username": ENTERED["PASSWORD_AS_NAME"], "password": "x"}
        client.post("/login/", data={**form, **wrong})
        client.post("/login/", data={**form, "password": ENTERED["WRONG_PASSWORD"]})
        entered = client.post("/login/", data=form)
        assert entered.url.path == "/", entered.text[:500]
        yield client


@pytest.fixture(scope="module")
def audited(
    gateway: Server, console: httpx.Client, keys: dict[str, str]
) -> dict[str, str]:
    """Changes that the audit log tells of; its page and the failures' by name."""
    token = {"X-CSRFToken": console.cookies["csrftoken"]}
    values = {"api_key": ENTERED["REPLACED_KEY"]}
    replaced = console.post("/settings/secrets/spare/", data=values, headers=token)
    assert replaced.url.path == "/settings/secrets/", replaced.text[:2000]
    posted = httpx.post(
        f"{gateway.url}/api/v1/secrets",
        json={"name": "posted", "data": {"api_key": ENTERED["POSTED_KEY"]}},
        headers={"X-RunAgents-API-Key": keys["workspace"]},
        trust_env=False,
        timeout=60,
    )
    assert posted.status_code in (200, 201), posted.text
    found = {"audit log": console.get("/settings/audit-log/").text}
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=60) as stranger:
        stranger.get("/login/")
        csrf = stranger.cookies["csrftoken"]
        other = sqlite3.connect(gateway.data / "runagents.sqlite3", timeout=30)
        other.execute("BEGIN IMMEDIATE")
        gateway.expected = '"Service Unavailable: /login/"'
        began = time.monotonic()
        form = {"username": "admin", "password": ENTERED["WRONG_PASSWORD"]}
        locked = stranger.post("/login/", data={**form, "csrfmiddlewaretoken": csrf})
        assert locked.status_code == 503, (locked.text[:300], time.monotonic() - began)
        other.rollback()
        other.close()
    found["no database"] = f"{dict(locked.headers)} {locked.text}"
    return found


def test_the_audit_log_and_the_page_without_a_database_hold_no_secret(audited, keys):
    wanted = spellings(keys)
    assert {name: leaks(text, wanted) for name, text in audited.items()} == {
        "audit log": [],
        "no database": [],
    }
    for told in ("spare", "posted", "canary-workspace", "Failed to log in"):
        assert told in audited["audit log"]
    assert "values" in audited["audit log"]


FEW = 3
MANY = 600


def kind_of(path: str, query: str) -> str:
    """Return what pages have in common that are one as the other: what they quote of
    calls or keep is on another page of the same thing."""
    if match := re.fullmatch(r"(.*)/[^/]+(/delete/|/history/)", path):
        return match[1] + match[2]
    if path.startswith("/admin/r/") or (query and path.startswith("/admin/")):
        return "/admin/"
    if query and query != "tab=requests":
        told = query if query.startswith("tab=") else query.partition("=")[0]
        return re.sub(r"[^/]+/$", f"?{told}", path)
    return ""


def crawl(console: httpx.Client, start: str, *, within: str) -> dict[str, str]:
    """Return every page `within` that links lead to from `start`, by path."""
    pages: dict[str, str] = {}
    ahead, found = [start], {start}
    seen: Counter[str] = Counter()
    while ahead:
        path = ahead.pop()
        assert len(pages) < MANY, "more than is looked at"
        response = console.get(path)
        pages[path] = f"{dict(response.headers)} {response.text}"
        if "html" not in response.headers.get("content-type", ""):
            continue
        for link in re.findall(r'(?:href|hx-get)="([^"#]+)"', response.text):
            parts = urlsplit(urljoin(str(response.url), link.replace("&amp;", "&")))
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            is_ours = parts.netloc == console.base_url.netloc.decode()
            if not is_ours or not re.match(within, parts.path) or target in found:
                continue
            kind = kind_of(parts.path, parts.query)
            seen[kind] += 1
            if not kind or seen[kind] <= FEW:
                found.add(target)
                ahead.append(target)
    return pages


def test_no_page_of_the_console_holds_a_secret(gateway, console, audited, paused, keys):
    gateway.rows(50)
    for model in [f"{name}-ok" for name in PROVIDERS] + ["oauth-no-token"]:
        console.post(
            f"/models/{model}/check/",
            headers={"X-CSRFToken": console.cookies["csrftoken"]},
        )
    pages = crawl(console, "/", within="/(?!admin/|static/)")
    wanted_pages = {"/", "/models/", "/agents/", "/requests/", "/settings/audit-log/"}
    assert wanted_pages <= set(pages)
    assert any("Received" in text for path, text in pages.items() if "/req" in path)
    assert "/models/key-echo-error/edit/" in pages
    assert sum(path.startswith("/requests/") for path in pages) > 20
    wanted = spellings(keys)
    found = {path: leaks(text, wanted) + prompts(text) for path, text in pages.items()}
    assert {path: names for path, names in found.items() if names} == {}


def test_no_page_of_the_admin_holds_a_secret(console, audited, keys):
    pages = crawl(console, "/admin/", within="/admin/")
    assert len(pages) > 5
    wanted = spellings(keys)
    found = {path: leaks(text, wanted) + prompts(text) for path, text in pages.items()}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.proves("4.7")
def test_no_answer_of_the_api_holds_a_secret(gateway, answers, keys):
    wanted = spellings(keys)
    headers = {"X-RunAgents-API-Key": keys["workspace"]}
    paths = ["model-providers", "secrets", "agents", "model-spend", "auth/api-keys"]
    paths += [f"model-providers/{name}-echo-error" for name in PROVIDERS]
    paths += ["secrets/key", "agents/canary-agent", "agents/canary-agent/config"]
    for path in paths:
        response = gateway.get(f"/api/v1/{path}", headers=headers)
        shown = f"{dict(response.headers)} {response.text}"
        assert leaks(shown, wanted) + prompts(shown) == [], path
    for name in PROVIDERS:
        checked = httpx.post(
            f"{gateway.url}/api/v1/model-providers/{name}-ok/check",
            headers=headers,
            trust_env=False,
            timeout=60,
        )
        assert leaks(checked.text, wanted) == [], name


def test_the_export_holds_no_secret(gateway, answers, keys):
    exported = gateway.manage("providers", "export")
    assert "key-echo-error" in exported
    assert leaks(exported, spellings(keys)) == []
    assert SECRETS["CLIENT_ID"] not in exported


@pytest.mark.proves("2.2")
def test_nothing_on_disk_holds_a_secret(
    gateway, console, answers, audited, paused, keys
):
    wanted = spellings(keys)
    names = set()
    for path in gateway.data.rglob("*"):
        if path.name in KEY_FILES or "static" in path.parts or not path.is_file():
            continue
        # What was spooled may be stored, and its file gone, by now.
        with suppress(FileNotFoundError):
            data = path.read_bytes()
            names.add(path.name)
            assert leaks(data, wanted) + prompts(data) == [], path.name
    assert {"runagents.sqlite3", "runagents.sqlite3-wal"} <= names


@pytest.mark.proves("4.6")
def test_the_output_at_debug_level_holds_no_secret(
    gateway, console, answers, audited, paused, keys
):
    log = gateway.log
    assert "/v1/chat/completions" in log
    assert leaks(log, spellings(keys)) + prompts(log) == []
    assert ADMINISTRATOR["DJANGO_SUPERUSER_PASSWORD"] not in log


def test_the_spool_held_no_secret_while_a_call_ran(gateway, replay, keys):
    replay.route("/key/ok/v1/chat/completions", Reply(hold=True))
    replay.clear()
    lines = [f"{name}: {value}" for name, value in CLIENT_HEADERS.items()]
    lines.append(f"Authorization: Bearer {keys['agent']}")
    with Connection(gateway) as client:
        client.send(request(gateway, chat_body("key-ok", PROMPT), *lines))
        assert replay.wait_until(lambda: replay.open == 1)
        spooled = spool(gateway)
    assert b"key-ok" in spooled
    assert leaks(spooled, spellings(keys)) + prompts(spooled) == []


def spool(gateway: Server) -> bytes:
    """Return what is spooled at the moment."""
    found = b""
    for path in (gateway.data / "spool").iterdir():
        with suppress(FileNotFoundError):
            found += path.read_bytes()
    return found

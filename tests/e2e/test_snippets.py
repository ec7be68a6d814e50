"""Code that people copy: it must run as it stands, without a key and without a network.

The product page's own snippet, the Hello World agent, an agent with a tool, and the
published `runagents` package.
"""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.processes import PATIENCE, ROOT, Server

PRODUCT_PAGE = ROOT.parent / "shared" / "seed" / "model-providers.txt"
README = ROOT / "README.md"
# `make install-test` puts it here, away from the path: its name is that of our project.
SDK = Path(sys.prefix) / "runagents-sdk"

BASES = {
    "host": "",
    "full URL": "/v1/chat/completions",
    "v1": "/v1",
    "pinned": "/v1/p/playground-llm",
}
each_base = pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server]) -> Server:
    """A server with nothing but the starter kit, made over the HTTP API."""
    made = server()
    key = made.key("operator", workspace=True)
    response = api(made, key, "POST", "/starter-kit")
    assert response.status_code in {200, 201}, response.text
    return made


def api(
    server: Server, key: str, method: str, path: str, body: Any = None
) -> httpx.Response:
    """Call the HTTP API."""
    return httpx.request(
        method,
        f"{server.url}/api/v1{path}",
        json=body,
        headers={"X-RunAgents-API-Key": key},
        trust_env=False,
        timeout=PATIENCE,
    )


def run(source: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program as a process of its own, with this environment and no more."""
    program = folder / "agent.py"
    program.write_text(source)
    return subprocess.run(
        [sys.executable, str(program)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


def snippet() -> str:
    """Return the product page's code."""
    if not PRODUCT_PAGE.is_file():
        pytest.skip("no product page beside this repository")
    text = PRODUCT_PAGE.read_text()
    found = re.search(r"^import urllib.*?^    print\(.*?\)$", text, re.M | re.S)
    assert found
    return found.group()


@pytest.mark.parametrize("base", ["", "/v1/chat/completions"], ids=["host", "full URL"])
def test_the_product_pages_snippet_runs_as_it_stands(gateway, tmp_path, base):
    source = f"LLM_GATEWAY_URL = {gateway.url + base!r}\n{snippet()}\n"
    assert "uthorization" not in source
    done = run(source, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "sandbox" in done.stdout.lower()


@pytest.mark.parametrize("number", [0, 1])
def test_the_readmes_first_calls_run_as_they_stand(gateway, tmp_path, number):
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)
    source = blocks[number].replace("http://127.0.0.1:8000", gateway.url)
    assert gateway.url in source
    done = run(source, tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'You said: "Hello"' in done.stdout


AGENT = """
    import json, os, urllib.request

    def post(url, body):
        request = urllib.request.Request(
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    reply = post(os.environ["TOOL_URL_ECHO_TOOL"] + "/echo", {"message": "ping"})
    print("tool:", json.dumps(reply))
    message = {"role": "user", "content": json.dumps(reply)}
    body = {"model": os.environ["LLM_MODEL"], "messages": [message]}
    answer = post(os.environ["LLM_GATEWAY_URL"], body)
    print("model:", answer["choices"][0]["message"]["content"])
"""


def test_an_agent_with_a_tool_runs_without_a_key(gateway, tmp_path):
    done = run(
        textwrap.dedent(AGENT),
        tmp_path,
        TOOL_URL_ECHO_TOOL=f"{gateway.url}/tools/echo-tool",
        LLM_GATEWAY_URL=gateway.chat_url,
        LLM_MODEL="gpt-4o-mini",
    )
    assert done.returncode == 0, done.stderr
    assert "ping" in done.stdout
    assert "sandbox" in done.stdout.partition("model:")[2].lower()


def test_the_hello_world_agent_runs_with_its_environment(gateway, tmp_path):
    source = (ROOT / "runagents/agents/starter/hello_world.py").read_text()
    done = run(
        source,
        tmp_path,
        AGENT_NAME="hello-world",
        LLM_GATEWAY_URL=gateway.chat_url,
        LLM_MODEL="gpt-4o-mini",
        OPENAI_API_KEY=gateway.key("hello-world"),
        TOOL_URL_ECHO_TOOL=f"{gateway.url}/tools/echo-tool",
        SYSTEM_PROMPT="Be brief.",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Echo tool replied:" in done.stdout
    assert "Model replied:" in done.stdout
    (row, *_) = gateway.rows(1, caller="hello-world")
    assert (row["outcome"], row["provider"]) == ("ok", "playground-llm")


@each_base
def test_every_form_of_the_address_leads_to_chat_completions(gateway, base):
    url = gateway.url + base
    tail = "" if base.endswith("/chat/completions") else "/chat/completions"
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
    answer = httpx.post(url + tail, json=body, trust_env=False, timeout=PATIENCE)
    assert answer.status_code == 200
    assert answer.json()["object"] == "chat.completion"


@pytest.mark.parametrize("path", ["/healthz", "/v1/healthz", "/readyz"])
def test_readiness_is_where_agents_look_for_it(gateway, path):
    assert gateway.get(path).status_code == 200


CALL_LLM = """
    import sys
    sys.path.insert(0, {sdk!r})
    from runagents import runtime

    answer = runtime.call_llm([{{"role": "user", "content": "What is RunAgents?"}}])
    print(answer["choices"][0]["message"]["content"])
"""


@each_base
def test_the_published_package_reaches_the_model(gateway, tmp_path, base):
    if not SDK.is_dir():
        pytest.skip("the runagents package is not installed; see `make install-test`")
    done = run(
        textwrap.dedent(CALL_LLM).format(sdk=str(SDK)),
        tmp_path,
        LLM_GATEWAY_URL=gateway.url + base,
        LLM_MODEL="gpt-4o-mini",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sandbox" in done.stdout.lower()


def test_the_registry_over_http_is_as_the_command_line_expects_it(gateway):
    key = gateway.key("cli", workspace=True)
    listed = api(gateway, key, "GET", "/model-providers").json()
    (playground,) = [each for each in listed if each["name"] == "playground-llm"]
    assert playground["spec"]["provider"] == "openai"
    assert playground["spec"]["models"] == ["gpt-4o-mini"]
    assert playground["spec"]["auth"]["type"] == "APIKey"
    bearer = httpx.get(
        f"{gateway.url}/api/v1/model-providers/playground-llm",
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
        timeout=PATIENCE,
    )
    assert bearer.json()["name"] == "playground-llm"
    missing = api(gateway, key, "GET", "/model-providers/nothing")
    assert missing.status_code == 404
    assert isinstance(missing.json()["error"], str)
    secret = {"name": "vendor-key", "data": {"api_key": "sk-0123456789"}}
    assert api(gateway, key, "POST", "/secrets", secret).status_code == 201
    anthropic = {
        "name": "claude",
        "spec": {
            "provider": "Anthropic",
            "endpoint": "https://api.anthropic.com",
            "models": ["claude-sonnet-4-20250514"],
            "auth": {
                "type": "APIKey",
                "apiKeyConfig": {
                    "in": "Header",
                    "name": "x-api-key",
                    "valuePrefix": "",
                    "secretRef": {"name": "vendor-key"},
                },
            },
            "rateLimit": {"requestsPerMinute": 60},
        },
    }
    assert api(gateway, key, "POST", "/model-providers", anthropic).status_code == 201
    deleted = api(gateway, key, "DELETE", "/model-providers/claude")
    assert deleted.json() == {"status": "deleted"}


def test_the_starter_kit_can_be_asked_for_twice(gateway):
    key = gateway.key("again", workspace=True)
    before = api(gateway, key, "GET", "/model-providers").json()
    assert api(gateway, key, "POST", "/starter-kit").is_success
    assert len(api(gateway, key, "GET", "/model-providers").json()) == len(before)

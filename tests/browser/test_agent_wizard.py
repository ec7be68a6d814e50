"""From an agent's code to a call with the environment that the wizard hands out."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Axe, expect, faults, signed_in
from tests.e2e import registries
from tests.e2e.processes import PATIENCE, Server
from tests.e2e.replay import Replay

AGENT = """\
import json, os, sys, urllib.error, urllib.request

API_KEY = "sk-" "a1b2c3d4a1b2c3d4a1b2c3d4"
PLANNER = os.environ.get("LLM_MODEL_PLANNER", "claude-sonnet-4-20250514")


def ask(model, text):
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        os.environ["LLM_GATEWAY_URL"],
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
        },
    )
    try:
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read())["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        sys.exit(error.read())


if __name__ == "__main__":
    print(ask(os.environ["LLM_MODEL_CHAT"], "Say one"), ask(PLANNER, "Say two"))
"""
CODE = f"""{AGENT}
client.chat.completions.create(model=os.environ.get("LLM_MODEL_CHAT", "gpt-4o-mini"))
client.messages.create(model=PLANNER, max_tokens=10)
"""


@pytest.fixture(scope="module")
def console(server: Callable[..., Server], upstream: Replay) -> Server:
    """A server with an OpenAI provider; the Anthropic one comes during the test."""
    upstream.offer(["gpt-4o-mini", "claude-sonnet-4-20250514"])
    openai = registries.openai("openai", f"{upstream.url}/openai/v1", "gpt-4o-mini")
    return server(registries.registry(openai))


def test_an_agent_goes_from_its_code_to_its_first_answer(
    page: Any, console: Server, upstream: Replay, tmp_path: Path
) -> None:
    source = tmp_path / "trip_planner.py"
    source.write_text(CODE)
    page.goto("/agents/new/")
    page.locator("#id_uploads").set_input_files([source])
    page.get_by_role("button", name="Read the code").click()
    # The page goes on by itself once the code is read.
    page.get_by_role("heading", name="Wire for Production").wait_for()
    page.get_by_text("Remove hardcoded key at trip_planner.py:3").wait_for()
    page.get_by_text("1 of 2 wired").wait_for()
    page.get_by_text("No registered provider serves").wait_for()

    with page.expect_popup() as popup:
        page.get_by_role("link", name="Register new").click()
    form = popup.value
    assert form.locator("#id_models").input_value() == "claude-sonnet-4-20250514"
    form.get_by_label("Endpoint").fill(f"{upstream.url}/anthropic")
    form.get_by_text("None", exact=True).click()
    form.get_by_role("button", name="Save").click()
    form.wait_for_url("**/models/anthropic/")
    form.close()
    # Coming back to the tab is an event that a browser without a window lacks.
    page.evaluate("document.body.dispatchEvent(new Event('returned'))")
    page.get_by_text("2 of 2 wired").wait_for()

    page.get_by_role("button", name="Continue to Deploy").click()
    assert page.get_by_label("Name").input_value() == "trip-planner"
    page.get_by_role("button", name="Deploy Now").click()
    page.get_by_role("heading", name="trip-planner is deployed").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download .env").click()
    assert download.value.suggested_filename == "trip-planner.env"
    environment = download.value.path().read_text()
    assert environment == page.locator("[aria-labelledby=env-title] pre").inner_text()

    agent = tmp_path / "agent.py"
    agent.write_text(AGENT)
    (tmp_path / "agent.env").write_text(environment)
    command = f'set -a; . ./agent.env; exec "{sys.executable}" -I agent.py'
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout == "You said: Say one You said: Say two\n", done.stderr
    assert {row["caller"] for row in console.rows(2)} == {"trip-planner"}

    page.get_by_role("link", name="View Agent").click()
    page.get_by_role("heading", name="trip-planner", exact=True).wait_for()


def test_choosing_another_provider_keeps_the_place_of_who_types(page: Any) -> None:
    page.goto("/agents/new/")
    page.get_by_role("button", name="Wire by hand").click()
    page.get_by_role("heading", name="Wire for Production").wait_for()
    role = page.get_by_label("Role")
    role.fill("planner")
    role.press("Tab")
    page.locator("#card-0").get_by_role("heading", name="planner").wait_for()
    expect(page.locator("#id_0-provider")).to_be_focused()
    page.get_by_label("Provider").select_option("openai")
    page.get_by_text("1 of 1 wired").wait_for()
    expect(page.get_by_label("Model")).to_have_value("gpt-4o-mini")
    page.goto("/agents/")
    page.get_by_role("link", name="Continue with my-agent").click()
    assert page.get_by_label("Role").input_value() == "planner"


def test_the_wizard_works_without_scripts(
    console: Server, open_page: Callable[..., Any]
) -> None:
    page = signed_in(open_page(console.url, scripts=False), console)
    page.goto("/agents/new/")
    page.get_by_role("button", name="Try a Sample").click()
    page.get_by_label("Provider").select_option("openai")
    page.get_by_role("button", name="Show this provider's models").click()
    page.get_by_label("Model").select_option("gpt-4o-mini")
    page.get_by_role("button", name="Continue to Deploy").click()
    page.get_by_label("Name").fill("sample")
    page.get_by_role("button", name="Deploy Now").click()
    page.get_by_role("heading", name="sample is deployed").wait_for()


def test_code_that_cannot_be_read_is_told_where_one_stands(page: Any) -> None:
    page.goto("/agents/new/")
    page.get_by_role("button", name="Read the code").click()
    page.locator("#reading").get_by_text("Choose a file or paste").wait_for()


def test_hello_world_prints_while_it_runs(page: Any, console: Server) -> None:
    page.goto("/agents/")
    page.get_by_role("button", name="Deploy Hello World Agent").click()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("The agent ran in").wait_for()
    output = page.get_by_label("What the agent printed").inner_text()
    assert "Echo tool replied: Echo: Hello from my first agent!" in output
    assert "Model replied: " in output


def test_its_pages_are_accessible_and_fit_a_phone(page: Any, axe: Axe) -> None:
    page.goto("/agents/new/")
    page.get_by_label("Or paste its code").fill(CODE)
    page.get_by_role("button", name="Read the code").click()
    page.get_by_role("heading", name="Wire for Production").wait_for()
    wire = page.url
    found = []
    for url in (
        "/agents/",
        wire.replace("/wire/", "/upload/"),
        wire,
        wire.replace("/wire/", "/deploy/"),
        "/agents/hello-world/",
        "/models/openai/",
    ):
        found += faults(page, axe, url)
    assert not found, "\n".join(found)


def test_a_whole_folder_is_read_with_its_paths(page: Any, tmp_path: Path) -> None:
    folder = tmp_path / "trips"
    for name, text in {
        "app/main.py": "from app.config import MODEL\nChatOpenAI(model=MODEL)",
        "app/config.py": "MODEL = 'gpt-4o-mini'",
        "node_modules/x/index.js": "ollama.chat({model: 'no'})",
        "logo.png": "x",
        ".env": "OPENAI_API_KEY=sk-abcdefghijklmnopqrstuvwx",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    page.goto("/agents/new/")
    page.get_by_label("Or choose its folder").set_input_files(folder)
    page.get_by_role("button", name="Read the code").click()
    page.get_by_role("heading", name="Wire for Production").wait_for()
    page.locator("#card-0").get_by_text("trips/app/main.py:2").wait_for()
    page.get_by_text("1 of 1 wired").wait_for()
    page.get_by_text("Found in the code").click()
    page.get_by_text("3 read").wait_for()
    page.get_by_role("button", name="Continue to Deploy").click()
    assert page.get_by_label("Name").input_value() == "trips"

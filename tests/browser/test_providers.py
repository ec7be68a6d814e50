"""Providers of every type, registered through the form, until they are Available."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import expect
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

MODELS = [
    "gpt-4o-mini",
    "o3",
    "claude-sonnet-4-20250514",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "qwen3",
]
KEY = "sk-browser-0123456789abcdef"


@pytest.fixture(scope="module")
def upstream(upstream: Replay) -> Replay:
    """Wants a key for OpenAI's and Anthropic's paths."""
    upstream.offer(MODELS)
    upstream.credentials["/openai"] = ("authorization", f"Bearer {KEY}")
    upstream.credentials["/anthropic"] = ("x-api-key", KEY)
    return upstream


def begin(page: Any, kind: str, name: str, endpoint: str) -> None:
    """Open the form for a new provider of a type and fill in where it is."""
    page.goto("/models/new/")
    page.locator(".type-card", has_text=kind).click()
    page.locator(f"input[name=shown_type][value={kind.split()[-1].lower()}]").wait_for(
        state="attached"
    )
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Endpoint").fill(endpoint)


def add_model(page: Any, model: str) -> None:
    page.locator("#id_models_entry").fill(model)
    page.locator("#id_models_entry").press("Enter")


def save(page: Any, name: str) -> None:
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/models/{name}/")


def status(page: Any, word: str) -> None:
    """Wait until the page itself shows the status that the check found."""
    page.locator("#status").get_by_text(word, exact=True).wait_for()


def answers(console: Server, model: str) -> str:
    """Return what the gateway answers for a model just registered."""
    answer = console.chat(model, "Hello")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def test_openai_with_a_key_and_models_fetched(
    page: Any, console: Server, upstream: Replay
) -> None:
    begin(page, "OpenAI", "openai", f"{upstream.url}/openai/v1")
    page.get_by_label("API key", exact=True).fill(KEY)
    page.get_by_role("button", name="Fetch models").click()
    page.get_by_label("Filter").fill("gpt-4o-mini")
    page.get_by_label("All that are shown").check()
    page.get_by_role("button", name="Add the ticked models").click()
    assert page.locator(".chip-box .chip").count() == 1
    add_model(page, "o3, mine")
    assert page.locator("#id_models").input_value() == "gpt-4o-mini\no3\nmine"
    page.locator("#id_models_entry").press("Backspace")
    assert page.locator("#id_models").input_value() == "gpt-4o-mini\no3"
    page.get_by_label("Send a 1-token request").check()
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("2 of 2 models found.").wait_for()
    page.get_by_text("gpt-4o-mini answered in").wait_for()
    save(page, "openai")
    page.get_by_text("openai is saved. It is being checked.").wait_for()
    page.get_by_role("button", name="Test now").click()
    status(page, "Available")
    assert answers(console, "gpt-4o-mini") == "You said: Hello"


def test_anthropic_with_a_key(page: Any, console: Server, upstream: Replay) -> None:
    begin(page, "Anthropic", "anthropic", f"{upstream.url}/anthropic")
    page.get_by_label("API key", exact=True).fill(KEY)
    add_model(page, "claude-sonnet-4-20250514")
    save(page, "anthropic")
    status(page, "Available")
    assert answers(console, "claude-sonnet-4-20250514") == "You said: Hello"


def test_bedrock_with_a_signature(page: Any, console: Server, upstream: Replay) -> None:
    begin(page, "AWS Bedrock", "bedrock", f"{upstream.url}/bedrock")
    page.get_by_label("Region").fill("eu-west-1")
    page.get_by_label("Access key id").fill("AKIA0123456789ABCDEF")
    page.get_by_label("Secret access key").fill("secret-0123456789-abcdefghij")
    add_model(page, "us.anthropic.claude-haiku-4-5-20251001-v1:0")
    save(page, "bedrock")
    status(page, "Available")
    assert (
        answers(console, "us.anthropic.claude-haiku-4-5-20251001-v1:0")
        == "You said: Hello"
    )
    signature = upstream.calls[-1].header("authorization") or ""
    assert re.search(r"/eu-west-1/bedrock/aws4_request", signature)


def test_ollama_without_credentials(
    page: Any, console: Server, upstream: Replay
) -> None:
    begin(page, "Ollama", "ollama", f"{upstream.url}/ollama")
    page.get_by_text("localhost is the container itself").wait_for()
    add_model(page, "qwen3")
    save(page, "ollama")
    status(page, "Available")
    assert answers(console, "qwen3") == "You said: Hello"


def test_a_wrong_key_is_unavailable_in_the_providers_words(
    page: Any, upstream: Replay
) -> None:
    begin(page, "OpenAI", "wrong", f"{upstream.url}/openai/v1")
    page.get_by_label("API key", exact=True).fill("sk-wrong-0123456789abcdef")
    add_model(page, "wrong-model")
    page.get_by_role("button", name="Test connection").click()
    result = page.locator("#test-result")
    result.get_by_text("The provider rejected the credentials (401).").wait_for()
    result.get_by_text("Details").click()
    result.get_by_text("Invalid credential.").wait_for()
    assert "$API_KEY" in result.locator("pre").inner_text()
    save(page, "wrong")
    status(page, "Unavailable")
    page.get_by_text("The provider rejected the credentials (401).").wait_for()


def test_a_mistake_in_the_configuration_is_failed_with_its_reason(
    page: Any, upstream: Replay
) -> None:
    # TLS towards a server that speaks plain HTTP.
    begin(page, "OpenAI", "broken", upstream.url.replace("http:", "https:"))
    page.get_by_text("None", exact=True).click()
    add_model(page, "broken-model")
    save(page, "broken")
    status(page, "Failed")
    assert page.locator("#status").inner_text().count("TLS")


def test_a_model_that_another_provider_serves_is_told_while_typing(
    page: Any, upstream: Replay
) -> None:
    begin(page, "Ollama", "second", f"{upstream.url}/ollama")
    add_model(page, "qwen3")
    page.get_by_text("is also served by ollama").wait_for()


def test_a_click_counts_although_a_note_appears_while_the_button_is_down(
    page: Any, upstream: Replay
) -> None:
    begin(page, "Ollama", "third", f"{upstream.url}/ollama")
    # Pressing the button ends the entry, and what is checked then makes a note.
    page.locator("#id_models_entry").fill("qwen3")
    page.get_by_role("button", name="Fetch models").hover()
    page.mouse.down()
    page.get_by_text("is also served by ollama").wait_for()
    page.mouse.up()
    page.get_by_role("dialog").wait_for()


def test_two_people_editing_at_once_do_not_overwrite_each_other(
    page: Any, console: Server, open_page: Callable[..., Any]
) -> None:
    page.goto("/models/ollama/edit/")
    other = page.context.new_page()
    other.goto("/models/ollama/edit/")
    other.get_by_label("Priority").fill("7")
    save(other, "ollama")
    page.get_by_label("Priority").fill("8")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("This provider changed since you opened it.").wait_for()
    page.get_by_role("button", name="Overwrite").click()
    page.wait_for_url("**/models/ollama/")
    priority = page.locator("dt", has_text="Priority").locator("+ dd")
    expect(priority).to_have_text("8")


def test_deleting_offers_to_disable_instead(page: Any) -> None:
    page.goto("/models/wrong/delete/")
    page.get_by_role("button", name="Disable instead").click()
    page.locator("#status").get_by_text("Disabled").wait_for()
    page.goto("/models/wrong/delete/")
    page.get_by_role("button", name="Delete provider").click()
    page.get_by_text("wrong is deleted.").wait_for()


def test_a_model_that_is_left_with_tab_is_a_chip_and_no_mistake(page: Any) -> None:
    page.goto("/models/new/")
    with page.expect_response(lambda answer: "field=models" in answer.url):
        page.locator("#id_models_entry").fill("gpt-4o")
        page.locator("#id_models_entry").press("Tab")
    page.wait_for_load_state("networkidle")
    assert page.locator("#id_models").input_value() == "gpt-4o"
    assert page.locator("#id_models_error").inner_text() == ""


def test_a_template_is_found_by_typing_and_marked(page: Any) -> None:
    page.goto("/models/new/")
    page.get_by_text("Start from a template").click()
    page.get_by_label("Find a template").fill("groq")
    page.get_by_role("link", name="Groq").click()
    page.wait_for_url("**/models/new/?preset=groq")
    card = page.locator(".template-card[aria-current=true]")
    assert "api.groq.com" in card.inner_text()

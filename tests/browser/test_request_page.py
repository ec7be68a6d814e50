"""The page of a request whose bodies are kept, and the Playground that asks again."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.wire import jsontext
from tests.browser.conftest import Axe, complaints
from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Replay, Reply

MARKDOWN = (
    "## Plan\n\n- **first** thing\n- `code`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    "![x](https://evil.example/x.png) <img src=x onerror=alert(1)> "
    "[on](javascript:alert(1))"
)


def event(**choice: Any) -> bytes:
    """Return an event of a streamed answer."""
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1}
    choices = [{"index": 0, "delta": {}, **choice}]
    return b"data: " + jsontext.encode({**chunk, "choices": choices}) + b"\n\n"


@pytest.fixture(scope="module")
def console(server: Callable[..., Server], replay: Replay) -> Server:
    """A server that keeps bodies, with a model that answers in Markdown."""
    words = [event(delta={"content": MARKDOWN}), event(finish_reason="stop")]
    stream = {"content-type": "text/event-stream"}
    replay.route("/marked", Reply(200, [*words, b"data: [DONE]\n\n"], stream))
    providers = [
        registries.openai(name, f"{replay.url}/marked", "m1") for name in ("one", "two")
    ]
    return server(registries.registry(*providers), LOG_BODIES="1")


def test_a_kept_request_is_read_searched_and_asked_again(
    page: Any, console: Server, axe: Axe
) -> None:
    console.chat("one/m1", "What is the plan?" + "\nand then?" * 80)
    call = console.rows(1, provider="one")[0]
    page.goto(f"/requests/{call['call_id']}/")
    assert complaints(page, axe, "request with bodies") == []
    page.get_by_label("Find in these texts").fill("THE PLAN")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("Found 2 times").wait_for()
    assert page.locator("mark").first.is_visible()
    page.get_by_role("link", name="Replay in the Playground").click()
    message = page.get_by_label("Message", exact=True)
    assert message.input_value().startswith("What is the plan?")
    assert page.get_by_label("Model", exact=True).input_value() == "one/m1"
    message.fill("And now?")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("View request").wait_for()
    answer = page.locator(".answer").last
    assert answer.locator(".formatted strong").first.inner_text() == "first"
    assert answer.locator("td").count() == 2
    assert answer.locator("img").count() == 0
    assert answer.locator("a[href^='javascript']").count() == 0
    assert "answered by one" in answer.inner_text()
    assert complaints(page, axe, "formatted answer") == []


def test_who_is_asked_follows_the_choice(page: Any, console: Server) -> None:
    page.goto("/playground/?model=two/m1")
    route = page.locator("#playground-route")
    assert route.inner_text() == "Asks two."
    page.get_by_label("Model", exact=True).select_option(index=2)
    page.get_by_text("where that does not take it").wait_for()
    assert route.inner_text() == "Asks one; where that does not take it, two."

"""The Playground, with a model that takes its time."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.wire import jsontext
from tests.browser.conftest import Axe, expect, signed_in
from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Replay, Reply

# Of an answer that takes two minutes, unless it is stopped.
LAST = 2399


def word(number: int) -> bytes:
    """Return an event with one word of an answer."""
    choice = {"index": 0, "delta": {"content": f"<i>word{number} "}}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1}
    return b"data: " + jsontext.encode({**chunk, "choices": [choice]}) + b"\n\n"


@pytest.fixture(scope="module")
def console(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with a provider of two models, which say a word every 50 ms."""
    words = [word(number) for number in range(LAST + 1)]
    stream = {"content-type": "text/event-stream"}
    replay.route("/slow", Reply(200, words, stream, pause=0.05))
    slow = registries.openai("slow", f"{replay.url}/slow", "m1", "m2")
    return server(registries.registry(slow))


def test_a_chat_streams_stops_and_goes_on(
    page: Any, console: Server, replay: Replay, axe: Axe
) -> None:
    page.goto("/playground/?model=slow/m1")
    message = page.get_by_label("Message", exact=True)
    message.fill("hello")
    message.press("Enter")
    page.get_by_text("word5").wait_for()
    expect(message).to_have_value("")
    assert page.get_by_text(f"word{LAST}").count() == 0
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped.").wait_for()
    # The upstream learns of it, and the ledger too.
    assert replay.wait_until(lambda: replay.calls[0].client_left)
    (row,) = console.rows(1, caller="admin")
    assert (row["caller_kind"], row["outcome"]) == ("console", "client_closed")
    page.get_by_label("Compare with").select_option("slow/m2")
    message.fill("and again")
    page.get_by_role("button", name="Send").click()
    page.locator(".turn:last-child .answer").nth(1).get_by_text("word3").wait_for()
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_text("Code for slow/m2").wait_for()
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Clear").click()
    page.locator(".turn").first.wait_for(state="detached")
    expect(page.get_by_label("Compare with")).to_have_value("slow/m2")
    assert "exception was never retrieved" not in console.log


def test_a_chat_works_without_scripts(
    console: Server, open_page: Callable[..., Any]
) -> None:
    page = signed_in(open_page(console.url, scripts=False), console)
    page.goto("/models/")
    page.get_by_role("button", name="Add starter Playground LLM").click()
    console.settle("gpt-4o-mini")
    page.goto("/playground/?model=playground-llm/gpt-4o-mini")
    page.get_by_label("Message", exact=True).fill("hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="View request").click()
    page.get_by_text("Routed to playground-llm").wait_for()

"""The Connect page waits for a client's first request and tells what came of it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Replay


@pytest.fixture(scope="module")
def console(server: Callable[..., Server], upstream: Replay) -> Server:
    """A server with a provider that answers."""
    upstream.offer(["gpt-4o-mini"])
    openai = registries.openai("openai", f"{upstream.url}/openai/v1", "gpt-4o-mini")
    return server(registries.registry(openai))


def test_the_first_request_shows_by_itself(page: Any, console: Server) -> None:
    page.goto("/connect/")
    page.get_by_text("Waiting for a request").wait_for()
    page.locator("#openai-python summary").click()
    assert "gpt-4o-mini" in page.locator("#openai-python pre").inner_text()
    # One recipe is open at a time.
    assert not page.locator("#curl pre").is_visible()

    page.request.post(
        "/v1/chat/completions",
        data={"model": "gpt-4o-mini", "messages": []},
        headers={"Authorization": "Bearer ra_ag_wrong"},
    )
    page.get_by_text("A request came, and was refused.").wait_for()
    page.locator("#arrival").get_by_text("invalid_api_key").wait_for()

    console.chat("gpt-4o-mini", "Hello")
    page.get_by_text("It works.").wait_for()
    page.get_by_role("link", name="View the request").click()
    page.wait_for_url("**/requests/*/")

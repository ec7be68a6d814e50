"""From the link that the server prints to the first answer, and every page after it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import log_in
from tests.e2e.processes import Server

PAGES = (
    "/",
    "/agents/",
    "/agents/new/upload/",
    "/agents/hello-world/",
    "/agents/hello-world/?tab=wires",
    "/agents/hello-world/?tab=keys",
    "/agents/hello-world/?tab=connect",
    "/agents/hello-world/delete/",
    "/models/list/import/",
    "/models/",
    "/models/new/",
    "/models/playground-llm/",
    "/models/playground-llm/?tab=models",
    "/models/playground-llm/?tab=usage",
    "/models/playground-llm/?tab=requests",
    "/models/playground-llm/?tab=connect",
    "/models/playground-llm/edit/",
    "/models/playground-llm/delete/",
    "/connect/",
    "/playground/",
    "/usage/",
    "/requests/",
    "/settings/api-keys/",
    "/settings/people/",
    "/settings/secrets/",
    "/settings/gateway/",
    "/settings/audit-log/",
    "/settings/health/",
    "/reference/",
    "/password/",
    "/admin/",
    "/nowhere/",
)
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as on a fresh machine: no data, no administrator."""
    server = Server(
        tmp_path_factory.mktemp("fresh"),
        DJANGO_SUPERUSER_USERNAME="",
        DJANGO_SUPERUSER_PASSWORD="",
    )
    yield server.start()
    assert server.stop() == 0
    assert "raceback" not in server.log


def test_the_link_in_the_log_leads_to_the_first_answer(
    fresh: Server, open_page: Callable[..., Any]
) -> None:
    link = re.search(r"/setup/\?token=[\w-]+", fresh.log)
    assert link, fresh.log
    page = open_page(fresh.url)
    page.goto("/")
    page.wait_for_url("**/setup/**")
    page.goto(link.group())
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Create and sign in").click()
    page.get_by_role("button", name="Deploy Hello World Agent").click()
    page.get_by_role("heading", name="hello-world", exact=True).wait_for()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("The agent ran in").wait_for()
    assert "Model replied: " in page.get_by_label("What the agent printed").inner_text()
    # The call is on the page of requests within seconds, and the link is used up.
    assert fresh.rows(1, caller="hello-world")
    page.goto("/requests/")
    page.get_by_role("cell", name="hello-world").first.wait_for()
    again = open_page(fresh.url)
    again.goto(link.group())
    again.wait_for_url("**/login/**")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_every_page_opens_without_a_complaint(
    fresh: Server, open_page: Callable[..., Any], scripts: bool
) -> None:
    page = log_in(open_page(fresh.url, scripts=scripts), "admin", PASSWORD)
    for path in PAGES:
        answer = page.goto(path)
        expected = 404 if path == "/nowhere/" else 200
        assert answer.status == expected, path
        assert page.get_by_role("heading", level=1).count() >= 1, path
        too_wide = "document.documentElement.scrollWidth - innerWidth"
        assert not scripts or page.evaluate(too_wide) <= 0, path


def test_a_provider_is_registered_without_scripts(
    fresh: Server, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = log_in(open_page(fresh.url, scripts=False), "admin", PASSWORD)
    page.goto("/models/new/")
    page.get_by_label("Ollama").check()
    page.get_by_role("button", name="Use this type's presets").click()
    assert page.get_by_label("Endpoint").input_value() == "http://localhost:11434"
    page.locator("#id_models").fill("llama3.2")
    page.get_by_role("button", name="Save").last.click()
    page.get_by_role("heading", name="ollama").wait_for()

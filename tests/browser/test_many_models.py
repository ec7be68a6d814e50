"""More providers and models than a menu shows: they are typed, with suggestions."""

from collections.abc import Callable
from typing import Any

import pytest

from providers.choices import FEW
from tests.browser.conftest import Axe, faults
from tests.e2e import dialects, registries
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

MODELS = 60


@pytest.fixture(scope="module")
def console(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with one provider more than a menu shows, and one of many models."""
    dialects.install(replay)
    many = [
        registries.openai(f"p{number:03}", replay.url, f"m{number:03}")
        for number in range(FEW)
    ]
    router = [f"routed-{number:02}" for number in range(MODELS)]
    return server(
        registries.registry(*many, registries.openai("router", replay.url, *router))
    )


def test_a_typed_model_answers(page: Any) -> None:
    page.goto("/playground/")
    model = page.get_by_label("Model", exact=True)
    assert model.input_value() == "p000/m000"
    model.fill("router/nothing")
    page.get_by_label("Message", exact=True).fill("hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("router/nothing is not there to be chosen.").wait_for()
    page.get_by_label("Model", exact=True).fill("router/routed-59")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="View request").wait_for()


def test_an_agent_is_wired_by_typing(page: Any, axe: Axe) -> None:
    page.goto("/agents/new/upload/")
    page.get_by_label("Or paste its code").fill(
        'client.chat.completions.create(model="unknown")'
    )
    page.get_by_role("button", name="Read the code").click()
    provider = page.get_by_label("Provider", exact=True)
    provider.fill("router")
    provider.press("Tab")
    page.get_by_label("Model", exact=True).select_option("routed-07")
    page.get_by_text("1 of 1 wired").wait_for()
    assert not (found := faults(page, axe, page.url)), found
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="Continue to Deploy").click()
    page.get_by_label("Name", exact=True).fill("typed")
    page.get_by_role("button", name="Deploy Now").click()
    page.get_by_role("link", name="View Agent").click()
    page.get_by_role("link", name="Wires", exact=True).click()
    default = page.get_by_label("chat", exact=True)
    assert default.input_value() == "router/routed-07"
    default.fill("p123/m123")
    page.get_by_role("button", name="Save wires").click()
    page.get_by_text("Wires saved.").wait_for()
    assert page.get_by_label("chat", exact=True).input_value() == "p123/m123"
    assert not (found := faults(page, axe, page.url)), found


@pytest.mark.parametrize(
    "path",
    [
        "/agents/?q=m123",
        "/models/?q=router",
        "/models/router/?tab=models&page=2",
        "/models/router/?tab=models&q=routed-5",
        "/playground/",
    ],
)
def test_its_pages_shut_nobody_out(page: Any, axe: Axe, path: str) -> None:
    found = faults(page, axe, path)
    assert not found, "\n".join(found)


def test_a_price_is_set_on_a_later_page(page: Any) -> None:
    page.goto("/models/router/?tab=models")
    page.get_by_role("link", name="Next").click()
    price = page.get_by_label("Input price of routed-55", exact=True)
    price.fill("0.25")
    page.get_by_role("button", name="Save model settings").click()
    page.get_by_text("Model settings saved.").wait_for()
    assert "page=2" in page.url
    price = page.get_by_label("Input price of routed-55", exact=True)
    assert price.input_value() == "0.25"

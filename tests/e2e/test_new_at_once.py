"""What was made a moment ago is served at once, whichever worker is asked."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest

from gateway.worker.registry import PATIENCE_SECONDS
from providers import keys
from tests.e2e import dialects, registries
from tests.e2e.processes import PATIENCE, PLAIN, Server
from tests.e2e.replay import Replay

CALLS = 8
TRIES = 10


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """Three workers that know one model."""
    dialects.install(replay)
    first = registries.openai("first", replay.url, "fine")
    return server(registries.registry(first), workers=3)


@pytest.fixture(scope="module")
def workspace(gateway: Server) -> Iterator[httpx.Client]:
    """A client of the HTTP API."""
    key = gateway.key("api", workspace=True)
    with httpx.Client(
        base_url=f"{gateway.url}/api/v1/",
        headers={"x-runagents-api-key": key},
        timeout=PATIENCE,
        **PLAIN,
    ) as client:
        yield client


def readily(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Return the answer that comes before a worker loses patience with the database.

    On a busy machine that does not answer in time, and what is new is not known then.
    """
    for _ in range(TRIES):
        began = time.monotonic()
        answer = ask()
        if time.monotonic() - began < PATIENCE_SECONDS:
            break
    return answer


def test_a_new_key_is_known_at_once(gateway, workspace):
    made = workspace.post("auth/api-keys", json={"name": "newcomer"})
    assert made.status_code == 201, made.text
    headers = {"authorization": f"Bearer {made.json()['token']}"}
    for _ in range(CALLS):
        answer = readily(lambda: gateway.chat("fine", headers=headers))
        assert answer.status_code == 200


def test_a_new_model_is_served_at_once(gateway, workspace, replay):
    added = registries.openai("second", replay.url, "finer")
    made = workspace.post("model-providers", json=added)
    assert made.status_code == 201, made.text
    for _ in range(CALLS):
        assert readily(lambda: gateway.chat("finer")).status_code == 200


def test_a_made_up_key_of_the_right_form_is_refused_as_any_other(gateway):
    made_up = keys.generate(keys.AGENT_PREFIX).plaintext
    headers = {"authorization": f"Bearer {made_up}"}
    refused = readily(lambda: gateway.chat("fine", headers=headers))
    wrong = gateway.chat("fine", headers={"authorization": "Bearer wrong"})
    assert (refused.status_code, refused.json()) == (401, wrong.json())


def test_a_new_model_answers_in_the_playground_at_once(gateway, workspace, replay):
    with httpx.Client(
        base_url=gateway.url,
        cookies={"sessionid": gateway.session()},
        timeout=PATIENCE,
        **PLAIN,
    ) as browser:
        browser.get("/playground/")
        headers = {"x-csrftoken": browser.cookies["csrftoken"]}
        for number in range(CALLS):
            name = f"newest{number}"
            added = registries.openai(name, replay.url, "fine")
            assert workspace.post("model-providers", json=added).status_code == 201
            form = {"model": f"{name}/fine", "message": "hi"}
            page = readily(
                partial(browser.post, "/playground/", data=form, headers=headers)
            )
            assert page.status_code == 200
            assert "no provider found" not in page.text

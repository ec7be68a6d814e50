"""The Playground in a real browser, against a real server and a slow upstream."""

import os
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.wire import jsontext
from tests.e2e.processes import ADMINISTRATOR, Server

pytestmark = pytest.mark.slow

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""


class SlowModel(BaseHTTPRequestHandler):
    """Says a word every 50 ms, for as long as somebody listens."""

    left = threading.Event()

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        try:
            for number in range(400):
                choice = {"index": 0, "delta": {"content": f"<i>word{number} "}}
                chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1}
                chunk |= {"model": "m", "choices": [choice]}
                self.wfile.write(b"data: " + jsontext.encode(chunk) + b"\n\n")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            self.left.set()

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def model():
    """The upstream's address."""
    SlowModel.left.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowModel)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def server(tmp_path, model):
    """A running installation with one provider of two models."""
    started = Server(tmp_path).start()
    spec = {
        "provider": "openai",
        "endpoint": model,
        "models": ["m1", "m2"],
        "auth": {"type": "None"},
        "options": {"private_network": True},
    }
    started.apply({"model_providers": [{"name": "slow", "spec": spec}]})
    started.settle("m1", "m2")
    yield started
    started.stop()


def open_page(playwright, server, **options):
    browser = playwright.chromium.launch(executable_path=CHROMIUM)
    page = browser.new_context(base_url=server.url, **options).new_page()
    page.set_default_timeout(10_000)
    page.goto("/login/")
    page.get_by_label("Username").fill(ADMINISTRATOR["DJANGO_SUPERUSER_USERNAME"])
    page.get_by_label("Password").fill(ADMINISTRATOR["DJANGO_SUPERUSER_PASSWORD"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{server.url}/")
    return page


@pytest.fixture
def playwright():
    sync_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).is_file():
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("Chromium is not installed.")
        pytest.skip("Chromium is not installed.")
    with sync_api.sync_playwright() as started:
        yield started


def test_a_chat_streams_stops_and_goes_on(playwright, server):
    page = open_page(playwright, server)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda line: problems.append(line.text) if line.type == "error" else None,
    )
    page.goto("/playground/?model=slow/m1")
    message = page.get_by_label("Message", exact=True)
    message.fill("hello")
    message.press("Enter")
    page.get_by_text("word5").wait_for()
    assert message.input_value() == ""
    assert page.get_by_text("word399").count() == 0
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped.").wait_for()
    # The upstream learns of it, and the ledger too.
    assert SlowModel.left.wait(5)
    (row,) = server.rows(1, caller="admin")
    assert (row["caller_kind"], row["outcome"]) == ("console", "client_closed")
    page.get_by_label("Compare with").select_option("slow/m2")
    message.fill("and again")
    page.get_by_role("button", name="Send").click()
    page.locator(".turn:last-child .answer").nth(1).get_by_text("word3").wait_for()
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_text("Code for slow/m2").wait_for()
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Clear").click()
    page.locator(".turn").first.wait_for(state="detached")
    assert page.get_by_label("Compare with").input_value() == "slow/m2"
    assert "exception was never retrieved" not in server.log
    assert problems == []


def test_a_chat_works_without_scripts(playwright, server):
    page = open_page(playwright, server, java_script_enabled=False)
    page.goto("/models/")
    page.get_by_role("button", name="Add starter Playground LLM").click()
    server.settle("gpt-4o-mini")
    page.goto("/playground/?model=playground-llm/gpt-4o-mini")
    page.get_by_label("Message", exact=True).fill("hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="View request").click()
    page.get_by_text("Routed to playground-llm").wait_for()

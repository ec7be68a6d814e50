"""Takes pictures of the console: python -m tests.screenshots [--all FOLDER]

Without options, those of the README, into docs/images/. With --all, every page and
every state of one, for phone, desktop and a wide screen, light and dark, into FOLDER.
Needs Chromium (Debian: chromium).
"""

import argparse
import fcntl
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from gateway.worker.troubles import LIMITS, USAGE
from gateway.worker.troubles import REGISTRY as UNREAD
from tests.browser import states
from tests.browser.conftest import log_in
from tests.browser.test_first_run import PAGES
from tests.e2e import dialects
from tests.e2e.processes import ADMINISTRATOR, ROOT, Server, wait_until
from tests.e2e.replay import Replay
from tests.screenshots.world import REGISTRY, SESSION

IMAGES = ROOT / "docs" / "images"
WIDTHS = (360, 1280, 1920)
THEMES = ("light", "dark")
KEY = "sk-only-for-the-pictures-0000"

EMPTY_PAGES = (
    "/",
    "/agents/",
    "/models/",
    "/playground/",
    "/usage/",
    "/requests/",
    "/settings/api-keys/",
    "/settings/secrets/",
    "/settings/audit-log/",
    "/settings/health/",
)
FULL_PAGES = (
    *PAGES,
    "/agents/support-bot/",
    "/agents/support-bot/?tab=wires",
    "/agents/support-bot/?tab=keys",
    "/agents/support-bot/?tab=connect",
    "/connect/",
    "/models/openai/",
    "/models/openai/?tab=models",
    "/models/openai/?tab=usage",
    "/models/openai/?tab=requests",
    "/models/openai/?tab=connect",
    "/models/ollama/",
    "/models/bedrock/",
    "/models/openai/edit/",
    "/models/openai/delete/",
    "/usage/?range=30d",
    "/usage/?by=key",
    "/usage/?range=30d&by=door",
    "/requests/?status=5xx",
    "/admin/providers/modelprovider/",
    "/admin/gateway/usagerecord/",
)


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots")
    parser.add_argument("--all", metavar="FOLDER", type=Path)
    parser.add_argument(
        "--only", action="append", help="pages whose name holds this or another one"
    )
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed; on Debian: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        if options.all:
            _take_all(browser, options.all, options.only or [""])
        else:
            _take_readme(browser)
        browser.close()


@contextmanager
def _installation(**environ: str) -> Iterator[Server]:
    """Start a server on a folder of its own; it is stopped and forgotten after."""
    with tempfile.TemporaryDirectory() as folder:
        # The addresses are real and the pictures are taken without a network.
        server = Server(
            Path(folder), DEMO_KEY=KEY, STATUS_CHECK_SECONDS="86400", **environ
        )
        try:
            yield server.start()
        finally:
            server.stop()


def _furnish(server: Server) -> None:
    """Give the server a month of life."""
    server.apply(REGISTRY, DEMO_KEY=KEY)
    # The first check finds no network; what the pictures show of it is told after.
    for provider in REGISTRY["model_providers"]:
        name = provider["name"]
        wait_until(lambda name=name: server.status(name) != "pending", 60)
    server.run("-m", "tests.screenshots.world")


def _take_readme(browser: Browser) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with _installation() as server:
        _furnish(server)
        light = _signed_in(browser, server, "light")
        light.get_by_role("button", name="Deploy Hello World Agent").click()
        light.get_by_role("button", name="Run", exact=True).click()
        light.get_by_text("Model replied").wait_for()
        light.screenshot(path=IMAGES / "agent.png")
        light.goto("/models/")
        light.get_by_text("Pending").first.wait_for(state="detached")
        light.screenshot(path=IMAGES / "models.png")
        light.goto("/models/new/?type=anthropic")
        light.screenshot(path=IMAGES / "new-provider.png")
        dark = _signed_in(browser, server, "dark")
        dark.screenshot(path=IMAGES / "dashboard.png")


def _signed_in(browser: Browser, server: Server, theme: str = "light") -> Page:
    page: Page = log_in(_page(browser, server))
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def _page(browser: Browser, server: Server) -> Page:
    context = browser.new_context(
        base_url=server.url, viewport={"width": 1280, "height": 800}
    )
    return context.new_page()


class Camera:
    """Takes a page in every shape, if its name holds a wanted word."""

    def __init__(self, folder: Path, only: list[str]) -> None:
        self.folder = folder
        self.only = only
        folder.mkdir(parents=True, exist_ok=True)

    def wants(self, name: str) -> bool:
        """Tell whether the page of this name is asked for."""
        return any(word in _slug(name) for word in self.only)

    def open(self, page: Page, path: str, name: str = "") -> None:
        """Open an address and take its pictures."""
        if self.wants(name or path):
            page.goto(path)
            self.shoot(page, name or path)

    def shoot(self, page: Page, name: str) -> None:
        """Take a page as it stands: `NAME-WIDTH-THEME.png`."""
        for width in WIDTHS:
            # As high as the page, so that what sticks to the window's edges does not
            # lie over it.
            page.set_viewport_size({"width": width, "height": 800})
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": min(height, 4000)})
            for theme in THEMES:
                page.emulate_media(
                    color_scheme="dark" if theme == "dark" else "light",
                    reduced_motion="reduce",
                )
                path = self.folder / f"{_slug(name)}-{width}-{theme}.png"
                page.screenshot(path=path, animations="disabled")
        page.set_viewport_size({"width": 1280, "height": 800})


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name).strip("-") or "dashboard"


def _take_all(browser: Browser, folder: Path, only: list[str]) -> None:
    camera = Camera(folder, only)
    with _installation(**dict.fromkeys(ADMINISTRATOR, "")) as server:
        page = _page(browser, server)
        link = re.search(r"/setup/\?token=[\w-]+", server.log)
        assert link, server.log
        camera.open(page, "/setup/", "set-up without the link")
        camera.open(page, link.group(), "set-up")
    with _installation() as server, Replay() as upstream:
        camera.open(_page(browser, server), "/login/")
        page = _signed_in(browser, server)
        for path in EMPTY_PAGES:
            camera.open(page, path, f"empty {path}")
        page.goto("/")
        page.get_by_role("button", name="Deploy Hello World Agent").click()
        _furnish(server)
        for path in FULL_PAGES:
            camera.open(page, path)
        session = f"/requests/?session={SESSION.format(39, 39)}"
        camera.open(page, session, "session")
        vectors = "/requests/?door=embeddings"
        for path in ("/requests/", "/requests/?status=5xx", session, vectors):
            page.goto(path)
            row = page.locator("td a[href^='/requests/']").first
            name = f"request of {path.partition('=')[0]}"
            camera.open(page, str(row.get_attribute("href")), name)
        dialects.install(upstream, "/openai")
        states.register(server, upstream)
        for number, (name, act) in enumerate(states.STATES.items()):
            if number % 8 == 0:  # each session may ask providers ten times a minute
                page = _signed_in(browser, server)
            if camera.wants(f"state {name}"):
                act(page, upstream.url)
                camera.shoot(page, f"state {name}")
        if camera.wants("state not offered"):
            _ask_for_what_is_not_offered(page)
            camera.shoot(page, "state not offered")
        if camera.wants("state refused to a viewer"):
            viewer = _page(browser, server)
            states.join_as_a_viewer(page, viewer)
            camera.open(viewer, "/settings/people/", "state refused to a viewer")
        with _troubled(server):
            camera.open(page, "/", "state troubles")
        _lose_the_database(server)
        camera.open(page, "/models/", "database away")


def _ask_for_what_is_not_offered(page: Page) -> None:
    page.goto("/agents/support-bot/?tab=keys")
    page.locator("[name=grace] option").first.evaluate("each => { each.value = '9'; }")
    page.get_by_role("button", name="Rotate").first.click()
    page.get_by_role("heading", name="This cannot be done").wait_for()


@contextmanager
def _troubled(server: Server) -> Iterator[None]:
    """Tell the server's workers of what another one of the host lacks."""
    path = server.data / "troubles" / "0.json"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        told = {
            USAGE: "No space left on device",
            LIMITS: "ConnectionError",
            UNREAD: "OperationalError",
        }
        file.write(json.dumps(told).ljust(1024))
        file.flush()
        yield
    path.unlink(missing_ok=True)


def _lose_the_database(server: Server) -> None:
    """Put something that is no database in its place."""
    database = server.data / "runagents.sqlite3"
    for path in server.data.glob("runagents.sqlite3*"):
        path.unlink()
    database.mkdir()


if __name__ == "__main__":
    main()

"""Takes the pictures of the README: python -m tests.screenshots

Starts the server on a folder of its own, sets up what a first hour would, and leaves
PNG files in docs/images/. Needs Chromium (Debian: chromium).
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks import processes

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
USER, PASSWORD = "admin", "screenshots-only"

REGISTRY = """
model_providers:
  - name: openai
    spec:
      provider: openai
      endpoint: https://api.openai.com
      models: [gpt-4o, gpt-4o-mini, o4-mini, gpt-4.1]
      rateLimit: {requestsPerMinute: 600}
      auth:
        type: APIKey
        apiKeyConfig:
          name: Authorization
          valuePrefix: "Bearer "
          secretRef: {name: openai}
  - name: anthropic
    spec:
      provider: anthropic
      endpoint: https://api.anthropic.com
      models: [claude-sonnet-4-20250514, claude-opus-4-5]
      auth:
        type: APIKey
        apiKeyConfig: {name: x-api-key, secretRef: {name: anthropic}}
  - name: ollama
    spec:
      provider: ollama
      endpoint: http://localhost:11434
      models: ['llama3.2:3b']
      auth: {type: None}
      options: {private_network: true}
secrets:
  - name: openai
    data: {api_key: {env: DEMO_KEY}}
  - name: anthropic
    data: {api_key: {env: DEMO_KEY}}
"""


def main() -> None:
    """Take every picture, light and dark where it matters."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed; on Debian: apt install chromium")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        port = processes.free_port()
        environment = processes.environment(
            RUNAGENTS_DATA_DIR=folder,
            DJANGO_SUPERUSER_USERNAME=USER,
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
            DJANGO_SUPERUSER_EMAIL="admin@example.com",
            DEMO_KEY="sk-only-for-the-pictures-0000",
            # The addresses are real and the pictures are taken without a network.
            STATUS_CHECK_SECONDS="86400",
        )
        manage = [sys.executable, "manage.py"]
        server = subprocess.Popen(
            [*manage, "serve", "--port", str(port)], cwd=ROOT, env=environment
        )
        try:
            processes.wait_until_ready(port)
            (Path(folder) / "registry.yaml").write_text(REGISTRY)
            subprocess.run(
                [*manage, "providers", "apply", f"{folder}/registry.yaml"],
                cwd=ROOT,
                env=environment,
                check=True,
            )
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"]
            )
            _take(browser, f"http://127.0.0.1:{port}")
            browser.close()
        finally:
            server.terminate()
            server.wait(timeout=90)


def _take(browser: Browser, base: str) -> None:
    light = _signed_in(browser, base, "light")
    light.goto(f"{base}/")
    light.get_by_role("button", name="Deploy Hello World Agent").click()
    light.get_by_role("button", name="Run", exact=True).click()
    light.get_by_text("Model replied").wait_for()
    light.screenshot(path=IMAGES / "agent.png")
    time.sleep(2)  # until the usage row is there
    light.goto(f"{base}/models/")
    light.get_by_text("Pending").first.wait_for(state="detached")
    light.screenshot(path=IMAGES / "models.png")
    light.goto(f"{base}/models/new/?type=anthropic")
    light.screenshot(path=IMAGES / "new-provider.png")
    dark = _signed_in(browser, base, "dark")
    dark.goto(f"{base}/")
    dark.screenshot(path=IMAGES / "dashboard.png")


def _signed_in(browser: Browser, base: str, scheme: str) -> Page:
    page = browser.new_context(
        viewport={"width": 1280, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    ).new_page()
    page.goto(f"{base}/login/")
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{base}/")
    return page


if __name__ == "__main__":
    main()

"""The states of the console's pages that are more than opening an address.

Each is a function that leads a page there; who looks at them all walks `STATES`. They
need the providers of `register`: one that answers and one that is away.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.browser.test_agent_wizard import CODE
from tests.browser.test_providers import add_model, begin
from tests.browser.test_usage_charts import SUM_UP
from tests.e2e.processes import PATIENCE, Server, wait_until
from tests.e2e.replay import Replay

KEY = "sk-browser-0123456789abcdef"
FILE = """\
model_providers:
- name: spare
  spec:
    provider: ollama
    endpoint: http://localhost:11434
    models: [llama3.2]
    auth: {type: None}
    options: {private_network: true}
"""
MARKDOWN = "**bold**\n\n- one\n- `two`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> said"
STATES: dict[str, Callable[[Any, str], None]] = {}


def state(act: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    """Register how a page is brought into a state: `act(page, upstream's origin)`."""
    STATES[act.__name__] = act
    return act


def fill_in(page: Any, upstream: str, key: str = KEY) -> None:
    begin(page, "OpenAI", "draft", f"{upstream}/openai/v1")
    page.get_by_label("API key", exact=True).fill(key)
    add_model(page, "gpt-4o")


@state
def form_with_errors(page: Any, upstream: str) -> None:
    page.goto("/models/new/")
    page.get_by_label("Name", exact=True).fill("Not a slug!")
    page.get_by_label("Endpoint").fill("nowhere")
    page.get_by_role("button", name="Save").click()
    page.locator("#error-summary").wait_for()


@state
def form_for_aws(page: Any, upstream: str) -> None:
    begin(page, "AWS Bedrock", "aws", "https://bedrock-runtime.us-east-1.amazonaws.com")
    page.get_by_text("Advanced", exact=True).click()


@state
def form_for_oauth(page: Any, upstream: str) -> None:
    page.goto("/models/new/?preset=custom")
    page.get_by_text("OAuth2", exact=True).click()


@state
def form_for_no_credentials(page: Any, upstream: str) -> None:
    begin(page, "Ollama", "local", "http://localhost:11434")


@state
def form_of_a_network(page: Any, upstream: str) -> None:
    """The new form behind a proxy that is no address, with a key of something else."""
    fill_in(page, upstream)
    page.get_by_text("Advanced", exact=True).click()
    page.get_by_label("Forward proxy").fill("socks5://proxy.example:1080")
    page.get_by_label("CA certificates").fill("-----BEGIN PRIVATE KEY-----")
    page.get_by_label("Key of the client certificate").fill("sk-no-key-in-pem")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("which is not spoken here").first.wait_for()


@state
def models_to_pick(page: Any, upstream: str) -> None:
    fill_in(page, upstream)
    page.get_by_role("button", name="Fetch models").click()
    page.get_by_role("dialog").wait_for()


@state
def models_that_cannot_be_listed(page: Any, upstream: str) -> None:
    fill_in(page, upstream, "sk-wrong-0123456789abcdef")
    page.get_by_role("button", name="Fetch models").click()
    page.get_by_text("The models could not be listed.").wait_for()


@state
def check_that_went_well(page: Any, upstream: str) -> None:
    fill_in(page, upstream)
    page.get_by_label("Send a 1-token request").check()
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("gpt-4o answered in").wait_for()


@state
def check_that_was_refused(page: Any, upstream: str) -> None:
    fill_in(page, upstream, "sk-wrong-0123456789abcdef")
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("rejected the credentials").wait_for()
    page.locator("#test-result summary").click()


@state
def edit_with_replace(page: Any, upstream: str) -> None:
    page.goto("/models/lab/edit/")
    page.locator("summary", has_text="Replace").click()


@state
def edit_in_conflict(page: Any, upstream: str) -> None:
    page.goto("/models/lab/edit/")
    page.evaluate("document.querySelector('[name=version]').value = '0'")
    page.get_by_label("Priority").fill("90")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("This provider changed since you opened it.").wait_for()


@state
def list_with_a_menu(page: Any, upstream: str) -> None:
    page.goto("/models/")
    page.get_by_label("Actions for lab").click()


@state
def removal_of_several(page: Any, upstream: str) -> None:
    page.goto("/models/")
    page.get_by_label("All on this page").check()
    page.get_by_role("group").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete providers").wait_for()


def imported(page: Any, text: str) -> None:
    """Paste a registry's file and ask what it would change."""
    page.goto("/models/list/import/")
    page.get_by_label("Or paste it").fill(text)
    page.get_by_role("button", name="Show what would change").click()


@state
def import_with_a_change(page: Any, upstream: str) -> None:
    imported(page, FILE)
    page.get_by_role("button", name="Apply these changes").wait_for()


@state
def import_that_is_refused(page: Any, upstream: str) -> None:
    imported(page, FILE.replace("ollama", "another"))
    page.get_by_text("nothing was changed").wait_for()


def asked_anew(page: Any) -> None:
    """Have the list of `lab` looked at now."""
    page.goto("/models/lab/")
    page.get_by_role("button", name="Test now").click()
    # The page has said so of an earlier look.
    page.locator("#test-result").get_by_text("Connected in").wait_for()


@state
def model_that_is_new(page: Any, upstream: str) -> None:
    asked_anew(page)
    page.goto("/models/lab/?tab=models")
    page.get_by_role("button", name="Accept gpt-5.5").wait_for()


@state
def list_with_changes(page: Any, upstream: str) -> None:
    page.goto("/models/")
    page.get_by_role("link", name="Look at them all").wait_for()


@state
def changes_of_all(page: Any, upstream: str) -> None:
    page.goto("/models/list/changes/")
    page.get_by_role("button", name="Accept gpt-5.5").wait_for()


@state
def list_without_a_match(page: Any, upstream: str) -> None:
    page.goto("/models/?q=nothing")


@state
def delete_dialog(page: Any, upstream: str) -> None:
    page.goto("/models/")
    page.get_by_label("Actions for away").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").wait_for()


@state
def delete_with_a_wrong_name(page: Any, upstream: str) -> None:
    # Not the one that agents are wired to by then.
    page.goto("/models/away/delete/")
    page.get_by_label("Type away to confirm").fill("another")
    page.get_by_role("button", name="Delete provider").click()
    page.locator("#id_confirm_error p").wait_for()


@state
def account_menu(page: Any, upstream: str) -> None:
    page.goto("/")
    page.get_by_label("Your account and theme").click()


@state
def wizard_upload_with_an_error(page: Any, upstream: str) -> None:
    page.goto("/agents/new/upload/")
    page.get_by_role("button", name="Read the code").click()
    page.locator("#reading").get_by_text("Choose a file or paste").wait_for()


def wired(page: Any) -> None:
    """Have code read, wire its roles and go on to Deploy."""
    page.goto("/agents/new/upload/")
    page.get_by_label("Or paste its code").fill(CODE)
    page.get_by_role("button", name="Read the code").click()
    page.get_by_role("heading", name="Wire for Production").wait_for()
    page.locator("#id_0-provider").select_option("lab")
    page.locator("#card-0").get_by_text("Wired", exact=True).wait_for()
    page.get_by_role("button", name="Continue to Deploy").click()
    page.get_by_role("button", name="Deploy Now").wait_for()


@state
def wizard_deploy(page: Any, upstream: str) -> None:
    wired(page)


@state
def wizard_deployed(page: Any, upstream: str) -> None:
    wired(page)
    page.get_by_label("Name").fill(f"agent-{datetime.now(UTC):%H%M%S%f}")
    page.get_by_role("button", name="Deploy Now").click()
    page.get_by_role("heading", name="is deployed").wait_for()


@state
def answers_of_two_models(page: Any, upstream: str) -> None:
    page.goto("/playground/")
    page.get_by_label("Model", exact=True).select_option("lab/gpt-4o")
    page.get_by_label("Compare with").select_option("away/gone")
    page.get_by_label("Message").fill("Hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("View request").nth(1).wait_for()


@state
def answer_with_a_form(page: Any, upstream: str) -> None:
    page.goto("/playground/")
    page.get_by_label("Model", exact=True).select_option("lab/gpt-4o")
    page.get_by_label("Message").fill(MARKDOWN)
    page.get_by_role("button", name="Send").click()
    page.locator(".answer .formatted td").first.wait_for()


@state
def hour_of_a_chart(page: Any, upstream: str) -> None:
    page.goto("/usage/")
    # What the pointer shows goes when the window changes.
    page.locator("[data-chart] svg").first.focus()
    page.keyboard.press("End")
    page.locator("[data-chart] output:not(:empty)").first.wait_for()


@state
def usage_of_no_days(page: Any, upstream: str) -> None:
    page.goto("/usage/?since=2026-02-02&until=2026-01-01")


@state
def prompts_are_kept(page: Any, upstream: str) -> None:
    page.goto("/settings/gateway/")
    page.get_by_role("button", name="Keep them").click()
    page.get_by_role("button", name="Stop").first.wait_for()


@state
def code_of_a_chat(page: Any, upstream: str) -> None:
    page.goto("/playground/")
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_text("Code for").wait_for()


@state
def key_just_created(page: Any, upstream: str) -> None:
    page.goto("/settings/api-keys/")
    page.get_by_label("Name", exact=True).fill("pipeline")
    page.get_by_role("button", name="Create key").click()
    page.get_by_text("shown this once").wait_for()


@state
def wizard_wire(page: Any, upstream: str) -> None:
    page.goto("/agents/new/upload/")
    code = "OpenAI().chat.completions.create(model='gpt-5')\n" + CODE
    page.get_by_label("Or paste its code").fill(code)
    page.get_by_role("button", name="Read the code").click()
    page.get_by_role("heading", name="Wire for Production").wait_for()
    page.get_by_role("button", name="Add gpt-5 to").first.wait_for()


def starter_keys(page: Any) -> None:
    """Open the keys of the Hello World agent, which is made if need be."""
    page.goto("/agents/hello-world/?tab=keys")
    if not page.get_by_role("heading", name="hello-world").count():
        page.goto("/agents/")
        page.get_by_role("button", name="Deploy Hello World Agent").click()
        page.get_by_role("heading", name="hello-world").wait_for()
        page.goto("/agents/hello-world/?tab=keys")


@state
def agent_key_just_created(page: Any, upstream: str) -> None:
    starter_keys(page)
    page.get_by_text("Name, last day, fewer models").click()
    page.get_by_label("Name").fill("staging")
    page.get_by_label("Last day").fill("2099-12-31")
    page.get_by_role("button", name="New key").click()
    page.get_by_role("heading", name="New key").wait_for()


@state
def agent_keys(page: Any, upstream: str) -> None:
    starter_keys(page)
    page.get_by_text("staging").first.wait_for()


@state
def agent_key_with_an_error(page: Any, upstream: str) -> None:
    starter_keys(page)
    page.get_by_text("Name, last day, fewer models").click()
    page.get_by_label("Models").fill("nobody-serves-this")
    page.get_by_role("button", name="New key").click()
    page.get_by_text("Nobody serves").wait_for()


@state
def key_edit(page: Any, upstream: str) -> None:
    starter_keys(page)
    page.get_by_role("link", name="Edit").first.click()
    page.get_by_role("button", name="Save").wait_for()


@state
def key_revoke(page: Any, upstream: str) -> None:
    starter_keys(page)
    address = page.get_by_role("link", name="Revoke").first.get_attribute("href")
    page.goto(address)


def invited(page: Any) -> str:
    """Invite somebody and return the link that begins with."""
    page.goto("/settings/people/")
    page.get_by_label("User name").fill(f"ada-{datetime.now(UTC):%H%M%S%f}")
    page.get_by_role("button", name="Invite").click()
    return str(page.locator("pre", has_text="/join/").first.inner_text())


def join_as_a_viewer(page: Any, another: Any) -> None:
    """Invite a viewer on an administrator's page, who joins on `another`."""
    another.goto(invited(page))
    for label in ("Password", "Password confirmation"):
        another.get_by_label(label, exact=True).fill("a-long-enough-password-7")
    another.get_by_role("button", name="Save and sign in").click()
    another.get_by_label("Your account and theme").wait_for()


@state
def somebody_invited(page: Any, upstream: str) -> None:
    invited(page)


@state
def somebody_ends(page: Any, upstream: str) -> None:
    invited(page)
    address = page.locator("a[href$='/end/']").last.get_attribute("href")
    page.goto(address)


@state
def join(page: Any, upstream: str) -> None:
    page.goto(invited(page))


@state
def not_allowed(page: Any, upstream: str) -> None:
    page.goto("/agents/hello-world/run/")


@state
def form_without_its_token(page: Any, upstream: str) -> None:
    page.goto("/settings/api-keys/")
    page.locator("main [name=csrfmiddlewaretoken]").first.evaluate(
        "each => each.remove()"
    )
    page.get_by_label("Name", exact=True).fill("x")
    page.get_by_role("button", name="Create key").click()
    page.get_by_text("Nothing was changed.").wait_for()


@state
def password_with_errors(page: Any, upstream: str) -> None:
    page.goto("/password/")
    page.get_by_label("Old password").fill("wrong")
    page.get_by_label("New password", exact=True).fill("1")
    page.get_by_label("New password confirmation").fill("2")
    page.get_by_role("button", name="Change password").click()
    page.locator(".error p").first.wait_for()


@state
def connect_with_a_refusal(page: Any, upstream: str) -> None:
    page.goto("/connect/?client=aider")
    page.locator("#aider pre").wait_for()
    page.request.post(
        "/v1/chat/completions",
        data={"model": "nobody-serves-this", "messages": []},
        headers={"Authorization": "Bearer ra_ag_wrong"},
    )
    page.get_by_text("A request came, and was refused.").wait_for()


@state
def nothing_here(page: Any, upstream: str) -> None:
    page.goto("/nowhere/")


def register(server: Server, upstream: Replay) -> None:
    """Register what the states need: `lab`, which answers, and `away`, which is gone.

    The caller clears `upstream.credentials` afterwards.
    """
    upstream.offer(["gpt-4o", "gpt-4o-mini"])
    upstream.credentials["/openai"] = ("authorization", f"Bearer {KEY}")
    key = {
        "type": "APIKey",
        "apiKeyConfig": {
            "name": "Authorization",
            "valuePrefix": "Bearer ",
            "secretRef": {"name": "lab-key"},
        },
    }
    spec = {"provider": "openai", "options": {"private_network": True}}
    lab = {
        **spec,
        "endpoint": f"{upstream.url}/openai/v1",
        "models": ["gpt-4o"],
        "auth": key,
    }
    away = {
        **spec,
        "endpoint": "http://127.0.0.1:9",
        "models": ["gone"],
        "auth": {"type": "None"},
    }
    registry = {
        "model_providers": [
            {"name": "lab", "spec": lab},
            {"name": "away", "spec": away},
        ],
        "secrets": [{"name": "lab-key", "data": {"api_key": {"env": "LAB_KEY"}}}],
    }
    server.apply(registry, LAB_KEY=KEY)
    server.settle("gpt-4o", "gone")
    # Seen once; what comes up afterwards is new.
    assert wait_until(lambda: server.status("lab") == "available", PATIENCE)
    upstream.offer(["gpt-4o", "gpt-4o-mini", "gpt-5.5"])
    # Deleting what is in use asks for its name.
    server.chat("gone")
    assert server.rows(1, provider="away")
    # A row that is not looked at yet is shown anew each second.
    assert wait_until(lambda: server.status("away") != "pending", PATIENCE)
    server.run("manage.py", "shell", "-c", SUM_UP)

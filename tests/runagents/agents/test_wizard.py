"""The wizard: Upload, Wire, Deploy."""

import re

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client
from django.urls import reverse

from providers import keys
from runagents.agents.detection import Analysis, ModelUsage
from runagents.agents.models import Agent, AgentKey, Draft, Wire
from runagents.agents.starter import hello_world
from runagents.agents.wizard import drafts

pytestmark = pytest.mark.django_db

KEY = re.compile(r"ra_ag_[A-Za-z0-9]{38}")
CODE = """
client.chat.completions.create(model="gpt-4o-mini", api_key="sk-abcdefghijklmnopqrst")
ChatAnthropic(model=os.environ.get("LLM_MODEL_PLANNER", "claude-sonnet-4-20250514"))
"""


def text_of(response):
    return response.content.decode()


def upload(client, **data):
    return client.post(reverse("agent-read"), data)


@pytest.fixture
def draft(logged_in_client):
    """Makes the draft of CODE."""

    def make(source=CODE):
        answer = upload(logged_in_client, source=source)
        assert answer.status_code == 302, text_of(answer)
        return Draft.objects.latest("pk")

    return make


def cards(draft, **changes):
    """Return what the Wire page posts for the draft as it stands, changed."""
    posted = {}
    for index, need in enumerate(draft.needs):
        posted[f"{index}-role"] = need["role"]
        posted[f"{index}-provider"] = need["provider"]
        posted[f"{index}-model"] = need["model_id"]
    return posted | {name.replace("_", "-", 1): v for name, v in changes.items()}


# --- access ---


@pytest.mark.parametrize(
    "name",
    ["agent-read", "agent-by-hand", "agent-draft-card", "agent-deploy"],
)
def test_the_wizard_needs_log_in(name):
    answer = Client().post(reverse(name), {"source": CODE})
    assert answer.url.startswith("/login/")
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "name", ["agent-read", "agent-by-hand", "agent-draft-card", "agent-draft-delete"]
)
def test_what_changes_something_needs_post(logged_in_client, name):
    assert logged_in_client.get(reverse(name)).status_code == 405


def test_reading_needs_the_csrf_token(administrator):
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator)
    assert upload(client, source=CODE).status_code == 403


@pytest.mark.parametrize("uid", ["", "x", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("name", ["agent-draft-wire", "agent-deploy"])
def test_a_draft_that_is_gone_leads_to_the_list(logged_in_client, name, uid):
    answer = logged_in_client.get(f"{reverse(name)}?draft={uid}", follow=True)
    assert "This draft is deployed or discarded." in text_of(answer)


def test_new_begins_with_upload(logged_in_client):
    assert logged_in_client.get("/agents/new/").url == "/agents/new/upload/"


# --- upload ---


def test_reading_leads_to_wire_and_keeps_the_findings_without_the_code(draft):
    row = draft()
    analysis = drafts.analysis_of(row)
    assert [(u.role, u.line) for u in analysis.usages] == [("chat", 2), ("planner", 3)]
    assert [(k.kind, k.line) for k in analysis.keys] == [("OpenAI API key", 2)]
    assert "sk-abcdef" not in str(Draft.objects.values_list().get())


def test_several_files_of_any_language_are_read(logged_in_client):
    files = [
        SimpleUploadedFile("bot.py", b"ollama.chat(model='llama3.2')"),
        SimpleUploadedFile("bot.ts", b"ollama.embed({model: 'nomic'})"),
        SimpleUploadedFile("bot.ts", b"ollama.embed({model: 'other'})"),
    ]
    upload(logged_in_client, uploads=files)
    usages = drafts.analysis_of(Draft.objects.get()).usages
    assert [usage.file for usage in usages] == ["bot-2.ts", "bot.py", "bot.ts"]


def test_pasted_typescript_is_read(logged_in_client):
    source = "const a: string = 'x';\r\nollama.chat({model: 'llama3.2'})"
    upload(logged_in_client, source=source, language="typescript")
    (usage,) = drafts.analysis_of(Draft.objects.get()).usages
    assert (usage.file, usage.line) == ("agent.ts", 2)


def test_the_sample_needs_nothing_else(logged_in_client, provider):
    provider()
    answer = upload(logged_in_client, sample="1")
    page = text_of(logged_in_client.get(answer.url))
    assert "hello_world.py" in page
    assert "1 of 1 wired" in page


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"source": " "}, "Choose a file or paste some code."),
        ({"uploads": [SimpleUploadedFile("a.py", b"\xff")]}, "is not UTF-8 text."),
        ({"uploads": [SimpleUploadedFile("a.exe", b"x")]}, "is not read here"),
        ({"source": "x", "language": "cobol"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_read_is_told(logged_in_client, data, words):
    answer = upload(logged_in_client, **data)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Draft.objects.exists()


def test_a_script_is_told_by_a_fragment(logged_in_client):
    headers = {"HX-Request": "true", "Accept": "text/html, text/event-stream"}
    answer = logged_in_client.post(reverse("agent-read"), {}, headers=headers)
    assert answer.status_code == 422
    assert "Choose a file or paste some code." in text_of(answer)
    assert "<html" not in text_of(answer)


def test_a_script_is_told_each_stage_and_led_on(logged_in_client):
    async def events():
        client = AsyncClient()
        client.cookies = logged_in_client.cookies
        answer = await client.post(
            reverse("agent-read"),
            {"source": CODE},
            headers={"Accept": "text/html, text/event-stream"},
        )
        return [event.decode() async for event in answer.streaming_content]

    told = async_to_sync(events)()
    assert len(told) == 5
    assert [event.count('class="done"') for event in told] == [0, 1, 2, 3, 3]
    assert f'data-go href="{Draft.objects.get().url()}"' in told[-1]
    assert "2 found" in told[-1]


def test_the_findings_are_shown_again(logged_in_client, draft):
    row = draft()
    page = text_of(logged_in_client.get(row.url("agent-upload")))
    assert "Remove hardcoded key at agent.py:2 (OpenAI API key)." in page
    assert "sk-abcdef" not in page


def test_one_can_begin_without_code(logged_in_client):
    answer = logged_in_client.post(reverse("agent-by-hand"))
    assert answer.url == Draft.objects.get().url()
    assert [need["role"] for need in Draft.objects.get().needs] == ["default"]


# --- what the code needs ---


def usage(role, model="", variable="", line=1):
    return ModelUsage(role, "", model, variable, "a.py", line)


def test_calls_for_one_model_in_one_role_are_one_need():
    (need,) = drafts.needs_of([usage("chat", "m", line=1), usage("chat", "m", line=9)])
    assert need.places == [("a.py", 1), ("a.py", 9)]


def test_two_models_in_one_role_get_roles_of_their_own():
    needs = drafts.needs_of([usage("chat", "m"), usage("chat", "n")])
    assert [need.role for need in needs] == ["chat", "chat-2"]


def test_a_role_named_by_a_variable_keeps_its_name():
    needs = drafts.needs_of(
        [usage("chat", "m"), usage("chat", variable="LLM_MODEL_CHAT")]
    )
    assert [need.role for need in needs] == ["chat-2", "chat"]


# --- wire ---


def test_a_model_that_one_provider_serves_is_wired_already(
    logged_in_client, provider, draft
):
    provider()
    row = draft()
    page = text_of(logged_in_client.get(row.url()))
    assert "1 of 2 wired" in page
    assert '<option value="gpt-4o-mini" selected>' in page
    assert "No registered provider serves <code>claude-sonnet-4-20250514</code>" in page
    assert "?model=claude-sonnet-4-20250514&amp;type=anthropic" in page


def test_a_model_that_two_providers_serve_is_left_to_choose(provider, draft):
    provider()
    provider("two")
    assert draft().wired == 0


def test_of_two_providers_the_one_that_goes_first_is_chosen(provider, draft):
    provider()
    first = provider("two")
    first.priority = 10
    first.save()
    assert draft().needs[0]["provider"] == "two"


def test_the_playground_is_no_rival_of_a_provider(provider, draft):
    provider("playground-llm")
    provider()
    assert draft().needs[0]["provider"] == "openai"


def test_a_model_that_nobody_serves_is_added_by_a_button(
    logged_in_client, provider, draft
):
    row = provider(endpoint="https://api.openai.com", models=("gpt-4o",))
    provider("elsewhere", models=("llama",))
    waiting = draft()
    page = text_of(logged_in_client.get(waiting.url()))
    assert "Add gpt-4o-mini to openai" in page
    # A server of the same format elsewhere has models of its own.
    assert "to elsewhere" not in page
    version = row.version
    posted = cards(waiting, serve="0:openai")
    answer = logged_in_client.post(waiting.url(), posted, follow=True)
    assert "openai serves gpt-4o-mini now" in text_of(answer)
    assert "1 of 2 wired" in text_of(answer)
    row.refresh_from_db()
    served = [model.model_id for model in row.provider_models.all()]
    assert served == ["gpt-4o", "gpt-4o-mini"]
    # A form that somebody has open must not take it away unseen.
    assert row.version == version + 1


@pytest.mark.parametrize("value", ["0:nobody", "9:openai", "1:openai", "x", ""])
def test_a_provider_that_is_not_offered_takes_no_model(
    logged_in_client, provider, draft, value
):
    row = provider(models=("gpt-4o",))
    waiting = draft()
    posted = cards(waiting, serve=value)
    answer = logged_in_client.post(waiting.url(), posted, follow=True)
    assert "cannot take the model now" in text_of(answer)
    assert row.provider_models.count() == 1


def test_an_id_that_is_none_is_not_added(logged_in_client, provider, draft):
    row = provider(models=("gpt-4o",))
    waiting = draft("client.chat.completions.create(model='gpt-4,o')")
    posted = cards(waiting, serve="0:openai")
    answer = logged_in_client.post(waiting.url(), posted, follow=True)
    assert "holds a comma" in text_of(answer)
    assert row.provider_models.count() == 1


def test_a_model_registered_meanwhile_is_wired_on_return(
    logged_in_client, provider, draft
):
    row = draft()
    provider("late", models=("claude-sonnet-4-20250514",))
    assert "1 of 2 wired" in text_of(logged_in_client.get(row.url()))
    row.refresh_from_db()
    assert row.needs[1]["provider"] == "late"


def test_another_provider_brings_its_models(logged_in_client, provider, draft):
    provider("one", models=("a", "b"))
    row = draft()
    url = f"{reverse('agent-draft-card')}?draft={row.uid}&card=1"
    answer = logged_in_client.post(url, cards(row, **{"1_provider": "one"}))
    page = text_of(answer)
    assert '<option value="b">' in page
    assert 'id="card-1"' in page
    assert 'id="wire-progress"' in page
    row.refresh_from_db()
    assert (row.needs[1]["provider"], row.needs[1]["model_id"]) == ("one", "")


def test_the_model_of_the_code_is_chosen_with_its_provider(
    logged_in_client, provider, draft
):
    provider("one")
    provider("two", models=("x", "gpt-4o-mini"))
    row = draft()
    url = f"{reverse('agent-draft-card')}?draft={row.uid}&card=0"
    logged_in_client.post(url, cards(row, **{"0_provider": "two"}))
    row.refresh_from_db()
    assert row.needs[0]["model_id"] == "gpt-4o-mini"


def test_a_choice_taken_back_is_not_made_again(logged_in_client, provider, draft):
    provider()
    row = draft()
    url = f"{reverse('agent-draft-card')}?draft={row.uid}&card=0"
    logged_in_client.post(url, cards(row, **{"0_provider": ""}))
    assert "0 of 2 wired" in text_of(logged_in_client.get(row.url()))


@pytest.mark.parametrize("number", ["", "x", "-1", "99", "²"])
def test_a_card_that_is_not_there_is_survived(logged_in_client, draft, number):
    row = draft()
    url = f"{reverse('agent-draft-card')}?draft={row.uid}&card={number}"
    assert logged_in_client.post(url, cards(row)).status_code in (200, 404)


def test_a_wrong_role_is_told_in_its_card(logged_in_client, draft):
    row = draft()
    url = f"{reverse('agent-draft-card')}?draft={row.uid}&card=0"
    answer = logged_in_client.post(url, cards(row, **{"0_role": "No way"}))
    assert "lower-case word" in text_of(answer)
    row.refresh_from_db()
    assert row.needs[0]["role"] == "chat"


def test_roles_are_added_and_removed(logged_in_client, draft):
    row = draft()
    logged_in_client.post(row.url(), cards(row, add="1"))
    row.refresh_from_db()
    assert [need["role"] for need in row.needs] == ["chat", "planner", "default"]
    logged_in_client.post(row.url(), cards(row, remove="1"))
    row.refresh_from_db()
    assert [need["role"] for need in row.needs] == ["chat", "default"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Choose a provider and model for at least one role."),
        ({"1_role": "chat"}, "Give each its own."),
        ({"1_role": ""}, "Name the role."),
        ({"1_provider": "nobody"}, "is not there to be chosen."),
    ],
)
def test_what_cannot_be_deployed_is_told(logged_in_client, draft, changes, words):
    row = draft()
    answer = logged_in_client.post(row.url(), cards(row, **changes))
    assert answer.status_code == 422
    assert words in text_of(answer)


def test_the_page_asks_the_database_as_often_for_many_cards(
    logged_in_client, provider, draft, django_assert_max_num_queries
):
    provider()
    row = draft()
    row.needs = [{**row.needs[0], "role": f"r{n}"} for n in range(40)]
    row.save()
    with django_assert_max_num_queries(8):
        logged_in_client.get(row.url())


# --- deploy ---


def test_deploying_wires_the_agent_and_shows_its_key_once(
    logged_in_client, provider, draft
):
    provider()
    provider("two", models=("claude-sonnet-4-20250514",))
    row = draft()
    answer = logged_in_client.post(row.url(), cards(row))
    assert answer.url == row.url("agent-deploy")
    page = text_of(logged_in_client.get(answer.url))
    assert "It does not build or host containers." in page
    data = {"name": "support", "system_prompt": "Be brief."}
    answer = logged_in_client.post(row.url("agent-deploy"), data)
    assert answer.url == "/agents/support/deployed/"
    answer = logged_in_client.get(answer.url)
    page = text_of(answer)
    key = KEY.search(page).group()
    assert keys.digest(key) == AgentKey.objects.get().digest
    assert answer["Cache-Control"] == "no-store"
    assert f"OPENAI_API_KEY={key}" in page
    assert "LLM_MODEL_PLANNER=claude-sonnet-4-20250514" in page
    wires = Wire.objects.values_list("role", "provider__name", "file", "line")
    assert set(wires) == {
        ("chat", "openai", "agent.py", 2),
        ("planner", "two", "agent.py", 3),
    }
    assert Agent.objects.get().access == "wired"
    assert not Draft.objects.exists()
    assert not KEY.search(text_of(logged_in_client.get("/agents/support/")))


def deployed(client, draft, **changes):
    """Return the page after the draft is wired as changed, and deployed."""
    client.post(draft.url(), cards(draft, **changes))
    url = draft.url("agent-deploy")
    return text_of(client.post(url, {"name": "support"}, follow=True))


def test_what_is_left_to_change_in_the_code_is_told(logged_in_client, provider, draft):
    provider("other", models=("llama3.2",))
    wired = {"0_provider": "other", "0_model": "llama3.2"}
    page = deployed(logged_in_client, draft(), **wired)
    todo = page.partition("Before it runs")[2].partition("</section>")[0]
    assert "Remove hardcoded key at agent.py:2 (OpenAI API key)." in todo
    assert "<code>agent.py:2</code> asks for <code>gpt-4o-mini</code>" in todo
    assert "<code>llama3.2</code> or read <code>LLM_MODEL_CHAT</code>" in todo


def test_code_that_asks_for_what_it_is_wired_to_is_left_alone(
    logged_in_client, provider, draft
):
    provider()
    source = "client.chat.completions.create(model='gpt-4o-mini')"
    assert "Before it runs" not in deployed(logged_in_client, draft(source))


def test_reloading_what_is_deployed_says_where_to_get_a_key(
    logged_in_client, provider, draft
):
    provider()
    row = draft()
    deployed(logged_in_client, row)
    answer = logged_in_client.get(row.url("agent-deploy"), follow=True)
    assert "make a new one on the agent" in text_of(answer)
    answer = logged_in_client.get("/agents/support/deployed/", follow=True)
    assert answer.redirect_chain == [("/agents/support/?tab=keys", 302)]
    assert "An agent&#x27;s key is shown once." in text_of(answer)
    assert AgentKey.objects.count() == 1


def test_a_problem_goes_once_a_card_is_mended(logged_in_client, provider, draft):
    provider("other", models=("llama3.2",))
    row = draft()
    page = text_of(logged_in_client.post(row.url(), cards(row)))
    assert 'id="wire-problem"' in page
    assert "Choose a provider and model for at least one role." in page
    url = f"{reverse('agent-draft-card')}?draft={row.uid}&card=0"
    changed = cards(row, **{"0_provider": "other", "0_model": "llama3.2"})
    fragment = text_of(logged_in_client.post(url, changed))
    assert '<div id="wire-problem" hidden hx-swap-oob="true"></div>' in fragment


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Enter a name for the agent."),
        ("Support Team", "lower-case letters"),
        ("taken", "An agent with this name exists."),
        ("local", "is reserved"),
        ("new", "is reserved"),
    ],
)
def test_a_wrong_name_is_told_and_nothing_is_made(
    logged_in_client, provider, draft, name, words
):
    provider()
    row = draft()
    Agent.objects.create(name="taken")
    answer = logged_in_client.post(row.url("agent-deploy"), {"name": name})
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert Agent.objects.count() == 1
    assert Draft.objects.exists()


def test_a_draft_that_is_not_wired_goes_back_to_wire(logged_in_client, draft):
    row = draft()
    answer = logged_in_client.post(row.url("agent-deploy"), {"name": "a"})
    assert answer.url == row.url()
    assert not Agent.objects.exists()


def test_roles_left_without_a_model_are_named(logged_in_client, provider, draft):
    provider()
    page = text_of(logged_in_client.get(draft().url("agent-deploy")))
    assert re.search(r"refused: <code>planner</code>", page)


def test_drafts_are_listed_and_discarded(logged_in_client, draft):
    row = draft()
    page = text_of(logged_in_client.get(reverse("agent-list")))
    assert row.url() in page
    assert "0 of 2" in page
    url = f"{reverse('agent-draft-delete')}?draft={row.uid}"
    assert logged_in_client.post(url).url == "/agents/"
    assert not Draft.objects.exists()


def test_a_provider_deleted_meanwhile_is_left_out(logged_in_client, provider, draft):
    one, _two = provider(), provider("two", models=("claude-sonnet-4-20250514",))
    row = draft()
    one.delete()
    logged_in_client.post(row.url("agent-deploy"), {"name": "a"})
    assert [wire.role for wire in Wire.objects.all()] == ["planner"]


def test_a_name_is_suggested(logged_in_client):
    Agent.objects.create(name="support-bot")
    file = SimpleUploadedFile("support_bot.py", b"x = 1")
    upload(logged_in_client, uploads=[file])
    assert Draft.objects.get().name == "support-bot-2"
    drafts.begin(Analysis(), [hello_world.__file__])
    assert Draft.objects.latest("pk").name == "hello-world"


def test_a_provider_deleted_before_deploying_is_not_deployed(
    logged_in_client, provider, draft
):
    row = provider()
    waiting = draft("client.chat.completions.create(model='gpt-4o-mini')")
    assert waiting.wired == 1
    row.delete()
    answer = logged_in_client.post(waiting.url("agent-deploy"), {"name": "support"})
    assert answer.status_code == 302
    assert answer.url == waiting.url()
    assert not Agent.objects.exists()


def test_code_beyond_djangos_usual_limit_is_judged_by_the_form(logged_in_client):
    answer = upload(logged_in_client, source="x = 1\n" * 800_000)
    assert answer.status_code == 422
    assert "More than 4 MiB" in text_of(answer)


# --- what is wired and cannot work ---

PAST = b"""
import boto3
boto3.client("bedrock-runtime").converse(modelId="gpt-4o-mini", messages=[])
OpenAI(base_url="https://api.openai.com/v1")
"""


def test_what_goes_past_the_gateway_is_not_called_wired(logged_in_client, provider):
    provider()
    file = SimpleUploadedFile("main.py", PAST)
    upload(logged_in_client, uploads=[file])
    page = text_of(logged_in_client.get(Draft.objects.get().url()))
    assert "Code must change" in page
    assert 'class="pill ok"' not in page
    assert "<code>main.py:3</code> calls AWS itself" in page
    assert "<code>main.py:4</code> calls api.openai.com itself" in page


def test_what_goes_past_the_gateway_stands_under_before_it_runs(
    logged_in_client, provider, draft
):
    provider()
    page = deployed(logged_in_client, draft(PAST.decode()))
    todo = page.partition("Before it runs")[2].partition("</section>")[0]
    assert "<code>agent.py:3</code> calls AWS itself" in todo
    assert "<code>agent.py:4</code> calls api.openai.com itself" in todo


def test_a_vendors_prefix_asks_for_no_change(logged_in_client, provider, draft):
    provider()
    row = draft("init_chat_model('openai:gpt-4o-mini')")
    assert "Before it runs" not in deployed(logged_in_client, row)


def test_it_says_that_nothing_was_found(logged_in_client, draft):
    page = text_of(logged_in_client.get(draft("x = 1").url()))
    assert "No call of a model was found in this code." in page
    logged_in_client.post(reverse("agent-by-hand"))
    page = text_of(logged_in_client.get(Draft.objects.latest("pk").url()))
    assert "No call of a model was found" not in page


def test_what_the_code_calls_the_model_is_in_its_environment(
    logged_in_client, provider, draft
):
    provider()
    source = "client.chat.completions.create(model=os.environ['BOT_MODEL'])"
    page = deployed(logged_in_client, draft(source))
    assert "BOT_MODEL=gpt-4o-mini" in page
    assert "TOOL_URL_ECHO_TOOL" not in page


def test_the_echo_tool_is_told_to_code_that_asks_for_it(logged_in_client, provider):
    provider()
    upload(logged_in_client, sample="1")
    page = deployed(logged_in_client, Draft.objects.get())
    assert "TOOL_URL_ECHO_TOOL=http://testserver/tools/echo-tool" in page


# --- kinds of models ---

EMBEDS = """
client.embeddings.create(model=os.environ["LLM_MODEL_EMBEDDING"])
client.chat.completions.create(model=os.environ["LLM_MODEL"])
"""


def wired(draft):
    return {need["role"]: need["model_id"] for need in draft.needs}


def test_each_role_is_wired_to_the_one_model_of_its_kind(draft, provider):
    provider(models=("gpt-4o", "text-embedding-3-small"))
    assert wired(draft(EMBEDS)) == {
        "embedding": "text-embedding-3-small",
        "chat": "gpt-4o",
    }


def test_an_administrators_word_on_a_kind_counts(draft, provider):
    row = provider(models=("docs", "gpt-4o"))
    row.provider_models.filter(model_id="docs").update(
        capabilities={"kind": "embedding"}
    )
    assert wired(draft(EMBEDS))["embedding"] == "docs"


def test_what_no_door_answers_is_not_wired(draft, provider):
    provider(models=("rerank-v3",))
    assert wired(draft("litellm.rerank('rerank-v3')")) == {"reranking": ""}


def test_models_that_fit_are_offered_first(logged_in_client, draft, provider):
    provider(models=("gpt-4o", "text-embedding-3-small"))
    page = text_of(logged_in_client.get(draft(EMBEDS).url()))
    first = [
        re.findall(r'<option value="([^"]+)"', select)[0]
        for select in re.findall(
            r'<select name="\d-model".*?</select>', page, re.DOTALL
        )
    ]
    assert sorted(first) == ["gpt-4o", "text-embedding-3-small"]


def test_a_model_of_another_kind_is_a_warning_and_no_error(
    logged_in_client, draft, provider
):
    provider(models=("gpt-4o",))
    made = draft("client.embeddings.create(model=os.environ['LLM_MODEL_EMBEDDING'])")
    assert wired(made) == {"embedding": ""}
    posted = cards(made, **{"0_provider": "openai", "0_model": "gpt-4o"})
    answer = logged_in_client.post(made.url(), posted)
    assert answer.status_code == 302
    page = text_of(logged_in_client.get(made.url()))
    assert "this role asks for embeddings" in page
    made.refresh_from_db()
    answer = logged_in_client.post(
        made.url("agent-deploy"), {"name": "bot", "system_prompt": ""}
    )
    bot = Agent.objects.get(name="bot")
    assert bot.doors == ["embeddings"]
    page = text_of(logged_in_client.get(f"{bot.get_absolute_url()}?tab=wires"))
    assert "this role asks for embeddings" in page
    # Nothing is said of what fits.
    assert page.count("seems to") == 1


def test_the_wires_of_an_agent_offer_what_fits_first(logged_in_client, provider):
    provider(models=("gpt-4o", "text-embedding-3-small"))
    Agent.objects.create(name="bot")
    page = text_of(logged_in_client.get("/agents/bot/?tab=wires"))
    select = re.search(r'<select name="role_embedding".*?</select>', page, re.DOTALL)[0]
    assert re.findall(r'<option value="([^"]+)"', select) == [
        "openai/text-embedding-3-small",
        "openai/gpt-4o",
    ]

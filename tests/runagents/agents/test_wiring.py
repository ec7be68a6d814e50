"""The environment that agents written for RunAgents expect."""

import subprocess

import pytest

from runagents.agents.models import Agent
from runagents.agents.registration import connections, wire
from runagents.agents.wiring import (
    Connection,
    dotenv,
    environment,
    main_connection,
    variable_name,
)

CHAT = Connection("chat", "openai-prod", "openai", "gpt-4o-mini")
DEEP = Connection("deep-thinking", "claude", "anthropic", "claude-sonnet-4-20250514")


def test_the_environment_names_gateway_models_and_tools():
    assert environment(
        "support",
        [CHAT, DEEP],
        "http://gw:8000/",
        key="ra_ag_x",
        system_prompt="Be brief.",
        tools=["echo-tool", "weather"],
    ) == {
        "AGENT_NAME": "support",
        "LLM_GATEWAY_URL": "http://gw:8000/v1/chat/completions",
        "LLM_MODEL": "gpt-4o-mini",
        "LLM_PROVIDER": "openai",
        "LLM_PROVIDER_NAME": "openai-prod",
        "LLM_MODEL_CHAT": "gpt-4o-mini",
        "LLM_PROVIDER_CHAT": "openai",
        "LLM_MODEL_DEEP_THINKING": "claude-sonnet-4-20250514",
        "LLM_PROVIDER_DEEP_THINKING": "anthropic",
        "SYSTEM_PROMPT": "Be brief.",
        "OPENAI_BASE_URL": "http://gw:8000/v1",
        "OPENAI_API_BASE": "http://gw:8000/v1",
        "OPENAI_API_KEY": "ra_ag_x",
        "ANTHROPIC_BASE_URL": "http://gw:8000",
        "ANTHROPIC_API_KEY": "ra_ag_x",
        "ANTHROPIC_MODEL": "gpt-4o-mini",
        "TOOL_URL_ECHO_TOOL": "http://gw:8000/tools/echo-tool",
    }


def test_without_a_new_key_the_platform_manages_it():
    values = environment("support", [CHAT], "http://gw")
    assert values["OPENAI_API_KEY"] == "platform-managed"
    assert values["ANTHROPIC_API_KEY"] == "platform-managed"


def test_an_agent_without_wires_gets_no_model():
    assert not [k for k in environment("a", [], "http://gw") if "MODEL" in k]


def test_the_default_role_comes_before_chat_and_chat_before_others():
    default = CHAT._replace(role="default", model_id="m")
    assert main_connection([DEEP, CHAT, default]) == default
    assert main_connection([DEEP, CHAT]) == CHAT
    assert main_connection([DEEP]) == DEEP
    assert main_connection([]) is None


def test_roles_become_names_of_variables():
    assert variable_name("re-ranking.v2") == "RE_RANKING_V2"


def test_a_shell_reads_the_dotenv_text_back():
    prompt = 'It\'s "quoted", $HOME\nand two lines'
    text = dotenv({"SYSTEM_PROMPT": prompt})
    script = text + 'printf %s "$SYSTEM_PROMPT"'
    shell = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True)
    assert shell.stdout == prompt


def test_a_tool_that_the_code_does_not_ask_for_is_not_told():
    assert not [k for k in environment("a", [CHAT], "http://gw") if "TOOL" in k]


def test_a_variable_of_the_code_names_the_model_too():
    wire = CHAT._replace(variable="BOT_MODEL")
    assert environment("a", [wire], "http://gw")["BOT_MODEL"] == "gpt-4o-mini"


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "bot_model", "LLM_MODEL", ""])
def test_a_variable_of_another_meaning_is_left_alone(name):
    wires = [CHAT, DEEP._replace(variable=name)]
    assert environment("a", wires, "http://gw") == environment(
        "a", [CHAT, DEEP], "http://gw"
    )


def told(*wires, doors=()):
    return environment("a", wires, "http://gw", key="ra_ag_x", doors=doors)


def test_the_window_of_a_model_that_claude_code_does_not_know_is_told():
    known = CHAT._replace(window=128_000)
    assert told(known)["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "128000"
    assert "CLAUDE_CODE_MAX_CONTEXT_TOKENS" not in told(CHAT)
    assert "CLAUDE_CODE_MAX_CONTEXT_TOKENS" not in told(DEEP._replace(window=200_000))


def test_an_agent_that_embeds_talks_with_no_model():
    vectors = CHAT._replace(role="embedding", model_id="e5", kind="embedding")
    assert "ANTHROPIC_MODEL" not in told(vectors)
    assert told(vectors)["LLM_MODEL"] == "e5"
    assert told(vectors, DEEP)["ANTHROPIC_MODEL"] == DEEP.model_id


def test_what_ollamas_server_reads_is_told_where_the_code_asks_for_it():
    assert not [name for name in told(CHAT) if "OLLAMA" in name]
    values = told(CHAT, doors=["chat", "ollama"])
    assert values["OLLAMA_HOST"] == "http://gw"
    assert values["OLLAMA_API_KEY"] == "ra_ag_x"


@pytest.mark.django_db
def test_what_the_registry_knows_of_a_model_is_told(provider):
    row = provider(models=("m",)).provider_models.get()
    row.capabilities = {"max_input_tokens": 32_768}
    row.save()
    agent = Agent.objects.create(name="a")
    wire(agent, {"default": (row.provider, "m")})
    (connection,) = connections(agent)
    assert (connection.kind, connection.window) == ("chat", 32_768)
    row.capabilities = {"max_input_tokens": True, "kind": "embedding"}
    row.save()
    (connection,) = connections(agent)
    assert (connection.kind, connection.window) == ("embedding", None)
    row.delete()
    assert connections(agent)[0].kind == "chat"

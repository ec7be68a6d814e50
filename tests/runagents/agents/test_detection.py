"""Reading source finds models, tools, keys and destinations without running it."""

from pathlib import Path

import pytest

from runagents.agents.detection import analyse, vendor_of
from runagents.agents.detection.vendors import bare
from runagents.agents.starter import hello_world


def usages(text):
    return [
        (u.role, u.provider, u.model, u.variable, u.line)
        for u in analyse({"agent.py": text}).usages
    ]


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        (
            "client.chat.completions.create(model='gpt-4o', messages=[])",
            ("chat", "openai", "gpt-4o", ""),
        ),
        (
            "OpenAI().embeddings.create(model='text-embedding-3-small', input='x')",
            ("embedding", "openai", "text-embedding-3-small", ""),
        ),
        (
            "anthropic.Anthropic().messages.create(model='claude-sonnet-4-20250514')",
            ("chat", "anthropic", "claude-sonnet-4-20250514", ""),
        ),
        (
            "bedrock.invoke_model(modelId='us.anthropic.claude-opus-4-6-v1', body=b)",
            ("chat", "bedrock", "us.anthropic.claude-opus-4-6-v1", ""),
        ),
        (
            "client.converse(modelId='amazon.nova-lite-v1:0')",
            ("chat", "bedrock", "amazon.nova-lite-v1:0", ""),
        ),
        (
            "ollama.chat(model='llama3.2', messages=[])",
            ("chat", "ollama", "llama3.2", ""),
        ),
        (
            "llm = ChatOpenAI(model_name='claude-3-haiku-20240307')",
            ("chat", "anthropic", "claude-3-haiku-20240307", ""),
        ),
        (
            "client.chat.completions.create(model=os.environ['LLM_MODEL'])",
            ("chat", "openai", "", "LLM_MODEL"),
        ),
        (
            "ChatOpenAI(model=os.getenv('LLM_MODEL_PLANNER', 'gpt-4o'))",
            ("planner", "openai", "gpt-4o", "LLM_MODEL_PLANNER"),
        ),
        ("client.chat.completions.create(model=pick())", ("chat", "openai", "", "")),
    ],
)
def test_a_call_of_a_model_is_found(text, usage):
    assert usages(text) == [(*usage, 1)]


def test_a_model_named_by_a_constant_is_followed():
    text = "NAME = 'gpt-4o'\nM = NAME\nclient.chat.completions.create(model=M)"
    assert usages(text) == [("chat", "openai", "gpt-4o", "", 3)]


def test_constants_in_a_circle_end():
    text = "A = B\nB = A\nclient.chat.completions.create(model=A)"
    assert usages(text) == [("chat", "openai", "", "", 3)]


def test_a_post_to_the_gateway_is_a_usage():
    text = (
        Path(hello_world.__file__)
        .read_text()
        .replace('setting("LLM_MODEL")', 'os.environ.get("LLM_MODEL", "gpt-4o-mini")')
    )
    (usage,) = analyse({"agent.py": text}).usages
    assert (usage.role, usage.model, usage.variable) == (
        "default",
        "gpt-4o-mini",
        "LLM_MODEL",
    )


def test_other_calls_are_no_usages():
    assert usages("requests.post(url, json={'model': 'x'})\nfoo.create()") == []


# Put together here, so that scanners of this repository find no key in it.
BODY = "a1b2c3d4" * 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"KEY = 'sk-{BODY}'", "OpenAI API key"),
        (f"KEY = 'sk-ant-{BODY}'", "Anthropic API key"),
        (f"boto3.client('x', key='AKIA{BODY.upper()[:16]}')", "AWS access key"),
        (f"call(api_key='{BODY}')", "credential"),
        (f"self.db_password = '{BODY}'", "credential"),
        (f"x = '-----BEGIN RSA PRIVATE {'KEY'}-----{BODY}'", "private key"),
    ],
)
def test_a_hard_coded_key_is_named_without_its_value(text, kind):
    analysis = analyse({"agent.py": f"\n{text}"})
    assert [(k.kind, k.file, k.line) for k in analysis.keys] == [(kind, "agent.py", 2)]
    assert BODY[:8] not in repr(analysis).lower()


@pytest.mark.parametrize(
    "text",
    [
        "api_key = os.environ['OPENAI_API_KEY']",
        "call(api_key='platform-managed')",
        "call(api_key='YOUR-KEY-HERE')",
        "token = ''",
        "secret = 'a phrase with spaces'",
    ],
)
def test_placeholders_are_no_keys(text):
    assert analyse({"agent.py": text}).keys == []


def test_tools_destinations_entry_point_and_prompt_are_found():
    text = """
import os
URL = os.environ["TOOL_URL_ECHO_TOOL"]
requests.get("https://api.example.com/v1")
messages = [{"role": "system", "content": "Be kind."}]
if __name__ == "__main__":
    main()
"""
    analysis = analyse({"agent.py": text})
    assert analysis.tools == ["echo-tool"]
    assert analysis.destinations == ["api.example.com"]
    assert analysis.entry_point == "agent.py"
    assert analysis.system_prompt == "Be kind."


def test_a_handler_is_the_entry_point():
    assert analyse({"a.py": "def handler(event): ..."}).entry_point == "a.py:handler"


@pytest.mark.parametrize("text", ["def (", "x = '\0'", "(" * 5000, "x" * 2_000_000])
def test_a_file_that_cannot_be_read_is_named_and_the_others_count(text):
    good = "ollama.chat(model='llama3.2')"
    analysis = analyse({"bad.py": text, "good.py": good})
    assert [usage.file for usage in analysis.usages] == ["good.py"]
    assert analysis.problems[0].startswith("bad.py")


@pytest.mark.parametrize(
    ("model", "vendor"),
    [
        ("gpt-4o-mini", "openai"),
        ("o3", "openai"),
        ("claude-sonnet-4-20250514", "anthropic"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "bedrock"),
        ("us.meta.llama3-3-70b-instruct-v1:0", "bedrock"),
        ("qwen3:8b", "ollama"),
        ("something", ""),
    ],
)
def test_the_vendor_of_a_model_is_told_by_its_name(model, vendor):
    assert vendor_of(model) == vendor


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        (
            "from litellm import completion\ncompletion('anthropic/claude-x')",
            ("chat", "anthropic", "anthropic/claude-x", "", 2),
        ),
        (
            "from ollama import Client as C\nC().chat(model='llama3.2')",
            ("chat", "ollama", "llama3.2", "", 2),
        ),
        (
            "class A:\n  model = 'gpt-4o'\nself.model = 'o3'\n"
            "c.chat.completions.create(model=self.model)",
            ("chat", "openai", "o3", "", 4),
        ),
        (
            "def f(model='gpt-4o'):\n  c.chat.completions.create(model=model)",
            ("chat", "openai", "gpt-4o", "", 2),
        ),
        (
            "p = {'model': 'gpt-4o'}\nc.chat.completions.create(**p)",
            ("chat", "openai", "gpt-4o", "", 2),
        ),
        (
            "M = {'a': 'gpt-4o'}\nc.chat.completions.create(model=M['a'])",
            ("chat", "openai", "gpt-4o", "", 2),
        ),
        (
            "m = os.environ.get('LLM_MODEL_A') or 'gpt-4o'\nChatOpenAI(model=m)",
            ("a", "openai", "gpt-4o", "LLM_MODEL_A", 2),
        ),
        (
            "def s(n): ...\nc.chat.completions.create(model=s('LLM_MODEL_A'))",
            ("a", "openai", "", "LLM_MODEL_A", 2),
        ),
        (
            "PLANNER = os.environ['LLM_MODEL_PLANNER']\n",
            ("planner", "", "", "LLM_MODEL_PLANNER", 1),
        ),
    ],
)
def test_models_are_followed_to_where_they_are_named(text, usage):
    assert usages(text) == [usage]


def test_messages_of_other_services_are_no_usages():
    assert usages("twilio.messages.create(to='1', body='x')") == []


def test_tools_are_found_by_definition_and_decorator():
    text = (
        "T = [{'type': 'function', 'function': {'name': 'weather'}}]\n"
        "@tool\ndef lookup(): ..."
    )
    assert analyse({"a.py": text}).tools == ["lookup", "weather"]


def test_a_function_that_passes_models_on_says_nothing_beside_those_that_name_them():
    text = """
def ask(model):
    requests.post(os.environ["LLM_GATEWAY_URL"], json={"model": model})
ask(os.environ["LLM_MODEL_PLANNER"])
"""
    assert usages(text) == [("planner", "", "", "LLM_MODEL_PLANNER", 4)]
    alone = text.replace("LLM_MODEL_PLANNER", "OTHER")
    assert usages(alone) == [("default", "", "", "", 3)]


@pytest.mark.parametrize(
    ("named", "model", "vendor", "api"),
    [
        ("openai:gpt-5", "gpt-5", "openai", "chat"),
        ("openai-chat:gpt-5", "gpt-5", "openai", "chat"),
        ("openai-responses:gpt-5", "gpt-5", "openai", "responses"),
        ("anthropic:claude-opus-4-5", "claude-opus-4-5", "anthropic", "messages"),
    ],
)
def test_a_prefix_of_pydantic_ai_says_which_api_it_speaks(named, model, vendor, api):
    code = f"from pydantic_ai import Agent\nagent = Agent('{named}')\n"
    (usage,) = analyse({"a.py": code}).usages
    assert (bare(usage.model), usage.provider, usage.api) == (model, vendor, api)

"""Reading JavaScript and TypeScript finds what reading Python finds."""

import pytest

from runagents.agents.detection import analyse


def found(text, name="agent.ts"):
    return analyse({name: text})


def usages(text, name="agent.ts"):
    return [
        (u.role, u.provider, u.model, u.variable, u.line)
        for u in found(text, name).usages
    ]


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        (
            "await openai.chat.completions.create({ model: 'gpt-4o', messages })",
            ("chat", "openai", "gpt-4o", ""),
        ),
        (
            "new OpenAI().embeddings.create({model: `text-embedding-3-small`})",
            ("embedding", "openai", "text-embedding-3-small", ""),
        ),
        (
            "anthropic.messages.stream({model: 'claude-sonnet-4-20250514'})",
            ("chat", "anthropic", "claude-sonnet-4-20250514", ""),
        ),
        (
            "client.send(new ConverseCommand({modelId: 'amazon.nova-lite-v1:0'}))",
            ("chat", "bedrock", "amazon.nova-lite-v1:0", ""),
        ),
        (
            "const o = new Ollama(); o.chat({model: 'llama3.2'})",
            ("chat", "ollama", "llama3.2", ""),
        ),
        (
            "const llm = new ChatOpenAI({ modelName: 'o3' })",
            ("chat", "openai", "o3", ""),
        ),
        (
            "generateText({ model: anthropic('claude-sonnet-4-20250514') })",
            ("chat", "anthropic", "claude-sonnet-4-20250514", ""),
        ),
        (
            "x.chat.completions.create({model: process.env.LLM_MODEL_PLANNER})",
            ("planner", "openai", "", "LLM_MODEL_PLANNER"),
        ),
        (
            "x.chat.completions.create({model: process.env['LLM_MODEL'] ?? 'gpt-4o'})",
            ("chat", "openai", "gpt-4o", "LLM_MODEL"),
        ),
        (
            "x.chat.completions.create({model: (Deno.env.get('LLM_MODEL_A') as any)!})",
            ("a", "openai", "", "LLM_MODEL_A"),
        ),
        ("x.chat.completions.create({model: pick()})", ("chat", "openai", "", "")),
    ],
)
def test_a_call_of_a_model_is_found(text, usage):
    assert usages(text) == [(*usage, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "const M = 'gpt-4o';\nx.chat.completions.create({model: M})",
        "class A { model = 'gpt-4o';\n"
        "f() { this.c.chat.completions.create({model: this.model}) } }",
        "const o = {model: 'gpt-4o'};\nx.chat.completions.create({...o, n: 1})",
        "const model = 'gpt-4o';\nx.chat.completions.create({ model })",
        "function f(m: string = 'gpt-4o') {\nx.chat.completions.create({model: m}) }",
    ],
)
def test_a_model_named_elsewhere_is_followed(text):
    assert usages(text) == [("chat", "openai", "gpt-4o", "", 2)]


def test_names_in_a_circle_end():
    text = "let a = b; let b = a; x.chat.completions.create({model: a})"
    assert usages(text) == [("chat", "openai", "", "", 1)]


def test_a_post_to_the_gateway_is_a_usage():
    text = (
        "const r = await fetch(process.env.LLM_GATEWAY_URL, {\n"
        "  method: 'POST',\n"
        "  body: JSON.stringify({ model: process.env.LLM_MODEL, messages: [] }) });"
    )
    assert usages(text, "agent.mjs") == [("default", "", "", "LLM_MODEL", 3)]


def test_a_models_variable_that_is_read_only_names_a_role():
    text = "export const PLANNER = process.env.LLM_MODEL_PLANNER"
    assert usages(text) == [("planner", "", "", "LLM_MODEL_PLANNER", 1)]


@pytest.mark.parametrize(
    "text",
    ["twilio.messages.create({ to: '1' })", "foo.create({ model: 'x' })"],
)
def test_other_calls_are_no_usages(text):
    assert usages(text) == []


BODY = "a1b2c3d4" * 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"const key = 'sk-{BODY}'", "OpenAI API key"),
        (f"new OpenAI({{ apiKey: '{BODY}' }})", "credential"),
        (f"const dbPassword = '{BODY}'", "credential"),
        (f"fetch(`https://x.example/?k=sk-ant-{BODY}`)", "Anthropic API key"),
    ],
)
def test_a_hard_coded_key_is_named_without_its_value(text, kind):
    analysis = found(f"\n{text}")
    assert [(k.kind, k.line) for k in analysis.keys] == [(kind, 2)]
    assert BODY[:8] not in repr(analysis)


def test_tools_destinations_entry_point_and_prompt_are_found():
    analysis = found("""
const url = process.env.TOOL_URL_ECHO_TOOL;
const tools = [{ type: "function", function: { name: "get_weather" } }];
await fetch(`https://api.example.com/v1/${id}`);
const messages = [{ role: "system", content: "Be kind.\\nAlways." }];
main();
""")
    assert analysis.tools == ["echo-tool", "get_weather"]
    assert analysis.destinations == ["api.example.com"]
    assert analysis.entry_point == "agent.ts"
    assert analysis.system_prompt == "Be kind.\nAlways."


def test_types_and_jsx_are_understood():
    assert usages("const a = <any>b; ollama.chat({model: 'x'})", "a.ts")
    assert usages("const a = <b>{ollama.chat({model: 'x'})}</b>", "a.jsx")


def test_a_file_with_a_mistake_is_read_as_far_as_possible():
    analysis = found("const = ;\nollama.chat({model: 'llama3.2'})")
    assert [usage.line for usage in analysis.usages] == [2]
    assert analysis.problems == ["agent.ts has a mistake, line 1; the rest was read."]

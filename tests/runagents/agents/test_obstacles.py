"""What does not reach the gateway is named by file and line."""

import pytest

from gateway.doors import NAMES
from runagents.agents.detection import analyse
from runagents.agents.detection.obstacles import SENTENCES, obstacles

PYTHON = "proj/app/main.py"
SCRIPT = "proj/src/agent.ts"


def problems(text, file=PYTHON):
    found = obstacles(analyse({file: text}))
    return [(o.file, o.line, o.problem) for o in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("litellm.rerank('cohere/rerank-v3')", "reranking"),
        ("boto3.client('bedrock-runtime').converse(modelId='amazon.x')", "AWS"),
        ("ChatBedrock(model_id='amazon.x')", "AWS"),
        ("litellm.completion('bedrock/amazon.x')", "AWS"),
        ("ollama.generate(model='llama3.2')", "older API"),
        ("ollama.Client().generate(model='llama3.2')", "older API"),
        ("ollama.embeddings(model='nomic')", "older API"),
        ("OllamaLLM(model='llama3.2')", "older API"),
        ("litellm.completion('ollama/llama3.2')", "prefix"),
        ("litellm.completion('ollama_chat/llama3.2')", "prefix"),
        ("AzureChatOpenAI(model='gpt-4o')", "Azure"),
        ("AzureOpenAI().chat.completions.create(model='gpt-4o')", "Azure"),
        ("litellm.completion('groq/llama-3')", "prefix"),
        ("init_chat_model('google_genai:gemini-2.5-pro')", "prefix"),
        ("OpenAI(base_url='https://api.openai.com/v1')", "api.openai.com"),
        ("post('https://api.anthropic.com/v1/messages')", "api.anthropic.com"),
        ("OpenAI(base_url='https://api.groq.com/openai/v1')", "api.groq.com"),
        ("OpenAI(base_url='http://localhost:11434/v1')", "localhost"),
        ("u = f'https://bedrock-runtime.{r}.amazonaws.com'", "bedrock-runtime."),
        ("u = 'https://me.openai.azure.com/openai/v1'", "me.openai.azure.com"),
    ],
)
def test_what_goes_past_the_gateway_is_named(text, words):
    ((file, line, problem),) = problems(f"\n{text}")
    assert (file, line) == (PYTHON, 2)
    assert words in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("streamText({model: bedrock('amazon.x')})", "AWS"),
        ("client.send(new ConverseCommand({modelId: 'amazon.x'}))", "AWS"),
        ("import ollama from 'ollama';\nollama.chat({model: 'x'})", "handed a host"),
        ("fetch('https://api.mistral.ai/v1/chat')", "api.mistral.ai"),
    ],
)
def test_what_goes_past_it_in_typescript_is_named(text, words):
    ((file, _line, problem),) = problems(text, SCRIPT)
    assert file == SCRIPT
    assert words in problem


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (PYTHON, "OpenAI().chat.completions.create(model='claude-x')"),
        (PYTHON, "ChatOpenAI(model='claude-x')"),
        (PYTHON, "init_chat_model('openai:gpt-4o')"),
        (PYTHON, "litellm.completion('openai/gpt-4o')"),
        (PYTHON, "anthropic.Anthropic().messages.create(model='claude-x')"),
        (PYTHON, "ChatAnthropic(model='claude-x')"),
        (PYTHON, "init_chat_model('anthropic:claude-x')"),
        (PYTHON, "init_chat_model('ollama:llama3.2')"),
        (PYTHON, "litellm.completion('claude-x')"),
        (PYTHON, "client.responses.create(model='gpt-4o')"),
        (PYTHON, "client.embeddings.create(model='text-embedding-3-small')"),
        (PYTHON, "OpenAIEmbeddings(model='text-embedding-3-small')"),
        (PYTHON, "ollama.chat(model='llama3.2')"),
        (PYTHON, "ollama.embed(model='nomic')"),
        (PYTHON, "OllamaEmbeddings(model='nomic')"),
        (PYTHON, "requests.get('https://example.com/api')"),
        (SCRIPT, "generateText({model: openai('gpt-4o')})"),
        (SCRIPT, "generateText({model: anthropic('claude-x')})"),
        (SCRIPT, "const o = createOpenAI({});\nstreamText({model: o('x')})"),
        (SCRIPT, "embed({model: openai.embedding('text-embedding-3-small')})"),
        (SCRIPT, "generateText({model: openai.chat('gpt-4o')})"),
        (SCRIPT, "const p = createOpenAICompatible({}); streamText({model: p('x')})"),
    ],
)
def test_what_reaches_it_is_left_alone(file, text):
    assert problems(text, file) == []


def test_what_the_doors_answer_is_no_obstacle():
    assert not set(NAMES) & set(SENTENCES)

"""What calls of models look like, and to which vendor a model's name belongs. Data."""

import re
from collections.abc import Collection
from typing import NamedTuple

DEFAULT_ROLE = "default"


# The formats that calls speak. Those of `gateway.doors` are answered there.
CHAT, RESPONSES, MESSAGES, EMBEDDINGS = "chat", "responses", "messages", "embeddings"
RERANKING, BEDROCK, OLLAMA, AZURE = "reranking", "bedrock", "ollama", "azure"
# What Ollama's server answers besides, and the gateway does not.
GENERATE = "generate"
# What has no door at all, whatever is changed in the code.
UNSERVED = frozenset({RERANKING})
# A service that a library finds by a model's prefix, whatever the environment says.
ELSEWHERE = "elsewhere"


class Call(NamedTuple):
    """A call of a model, known by the end of its dotted name.

    `api` is the format it speaks, where that is not the usual one of its vendor.
    """

    name: str
    role: str
    vendor: str
    api: str = ""


CALLS: tuple[Call, ...] = (
    Call("chat.completions.create", "chat", "openai"),
    Call("chat.completions.parse", "chat", "openai"),
    Call("chat.completions.stream", "chat", "openai"),
    Call("chat.completions.runTools", "chat", "openai"),
    Call("responses.create", "chat", "openai", RESPONSES),
    Call("responses.parse", "chat", "openai", RESPONSES),
    Call("responses.stream", "chat", "openai", RESPONSES),
    Call("embeddings.create", "embedding", "openai"),
    Call("ChatCompletion.create", "chat", "openai"),
    Call("ChatCompletion.acreate", "chat", "openai"),
    Call("messages.create", "chat", "anthropic"),
    Call("messages.stream", "chat", "anthropic"),
    Call("messages.parse", "chat", "anthropic"),
    Call("invoke_model", "chat", "bedrock"),
    Call("invoke_model_with_response_stream", "chat", "bedrock"),
    Call("converse", "chat", "bedrock"),
    Call("converse_stream", "chat", "bedrock"),
    # https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/client/bedrock-runtime/
    Call("InvokeModelCommand", "chat", "bedrock"),
    Call("InvokeModelWithResponseStreamCommand", "chat", "bedrock"),
    Call("ConverseCommand", "chat", "bedrock"),
    Call("ConverseStreamCommand", "chat", "bedrock"),
    Call("ollama.chat", "chat", "ollama"),
    Call("ollama.generate", "chat", "ollama", GENERATE),
    Call("ollama.embed", "embedding", "ollama"),
    Call("ollama.embeddings", "embedding", "ollama", GENERATE),
    Call("ollama.Client.chat", "chat", "ollama"),
    Call("ollama.Client.generate", "chat", "ollama", GENERATE),
    Call("ollama.AsyncClient.chat", "chat", "ollama"),
    Call("ollama.AsyncClient.generate", "chat", "ollama", GENERATE),
    Call("ChatOpenAI", "chat", "openai"),
    Call("AzureChatOpenAI", "chat", "openai", AZURE),
    Call("OpenAIEmbeddings", "embedding", "openai"),
    Call("AzureOpenAIEmbeddings", "embedding", "openai", AZURE),
    Call("ChatAnthropic", "chat", "anthropic"),
    Call("ChatBedrock", "chat", "bedrock"),
    Call("ChatBedrockConverse", "chat", "bedrock"),
    Call("BedrockEmbeddings", "embedding", "bedrock"),
    Call("ChatOllama", "chat", "ollama"),
    # https://docs.langchain.com/oss/python/integrations/llms/ollama
    Call("OllamaLLM", "chat", "ollama", GENERATE),
    Call("OllamaEmbeddings", "embedding", "ollama"),
    # https://docs.langchain.com/oss/python/langchain/agents
    Call("create_agent", "chat", ""),
    Call("create_react_agent", "chat", ""),
    Call("createAgent", "chat", ""),
    Call("createReactAgent", "chat", ""),
    Call("init_chat_model", "chat", ""),
    Call("initChatModel", "chat", ""),
    Call("init_embeddings", "embedding", ""),
    Call("litellm.completion", "chat", ""),
    Call("litellm.acompletion", "chat", ""),
    Call("litellm.embedding", "embedding", ""),
    Call("litellm.aembedding", "embedding", ""),
    Call("litellm.rerank", "reranking", ""),
    # https://docs.crewai.com/en/concepts/llms
    Call("crewai.LLM", "chat", ""),
    Call("crewai.Agent", "chat", ""),
    Call("crewai.Crew", "chat", ""),
    # https://ai.pydantic.dev/models/
    Call("pydantic_ai.Agent", "chat", ""),
    # https://openai.github.io/openai-agents-python/models/
    Call("agents.Agent", "chat", "openai", RESPONSES),
    Call("OpenAIChatCompletionsModel", "chat", "openai"),
    # https://dspy.ai/learn/programming/language_models/
    Call("dspy.LM", "chat", ""),
    # https://microsoft.github.io/autogen/stable/
    Call("OpenAIChatCompletionClient", "chat", "openai"),
    # https://docs.llamaindex.ai/en/stable/module_guides/models/llms/
    Call("llama_index.llms.openai.OpenAI", "chat", "openai"),
    Call("OpenAIEmbedding", "embedding", "openai"),
    # https://huggingface.co/docs/smolagents/reference/models
    Call("LiteLLMModel", "chat", ""),
    Call("OpenAIServerModel", "chat", "openai"),
    # https://docs.agno.com/models/openai
    Call("OpenAIChat", "chat", "openai"),
    # https://ai-sdk.dev/docs/reference/ai-sdk-core
    Call("generateText", "chat", ""),
    Call("streamText", "chat", ""),
    Call("generateObject", "chat", ""),
    Call("streamObject", "chat", ""),
    Call("embedMany", "embedding", ""),
    Call("embed", "embedding", ""),
    Call("call_llm", DEFAULT_ROLE, ""),
)

# Names that other libraries use too: they count only when a model is handed over.
NEEDS_MODEL = frozenset(
    {"messages.create", "messages.stream", "messages.parse", "converse", "embed"}
)
# These take a model that is made elsewhere, too: they count only when it is named.
NEEDS_NAME = frozenset(
    {
        "create_agent",
        "create_react_agent",
        "createAgent",
        "createReactAgent",
        "crewai.Agent",
        "crewai.Crew",
        "pydantic_ai.Agent",
        "agents.Agent",
    }
)

# Calls that take the model as their first argument.
TAKES_MODEL_FIRST = frozenset(
    {
        "create_agent",
        "create_react_agent",
        "crewai.LLM",
        "dspy.LM",
        "pydantic_ai.Agent",
        "init_chat_model",
        "initChatModel",
        "init_embeddings",
        "litellm.completion",
        "litellm.acompletion",
        "litellm.embedding",
        "litellm.aembedding",
        "ollama.chat",
        "ollama.generate",
        "ollama.embed",
        "ollama.embeddings",
    }
)

MODEL_ARGUMENTS = (
    "model",
    "model_name",
    "modelName",
    "modelId",
    "model_id",
    "deployment_name",
    "azureOpenAIApiDeploymentName",
    "llm",
)
# Calls that are handed models under names of their own.
OWN_ARGUMENTS = {
    "crewai.Crew": ("manager_llm", "planning_llm", "function_calling_llm", "chat_llm"),
    "crewai.Agent": ("llm", "function_calling_llm"),
    "OpenAIChat": ("id",),
}
SYSTEM_ARGUMENTS = ("system", "system_instruction", "instructions")

# Packages by which models are called: of PyPI and npm.
LIBRARY = re.compile(
    r"(?:@ai-sdk|@langchain|@mastra|@copilotkit|@llamaindex)/.+"
    r"|(?:langchain|langgraph|llama-index|pydantic-ai|autogen|haystack)(?:-.+)?"
    r"|ai|openai|anthropic|boto3|ollama|litellm|crewai|dspy|instructor|smolagents|agno"
    r"|strands-agents|semantic-kernel|openai-agents|google-genai|google-generativeai"
    r"|google-adk|groq|mistralai|cohere|llamaindex|groq-sdk|runagents|genkit"
    r"|@anthropic-ai/sdk|@openai/agents|@aws-sdk/client-bedrock-runtime"
    r"|@google/genai|@mistralai/mistralai"
)
# The variable that names the model of a call that is handed none.
# https://docs.crewai.com/en/learn/llm-connections
DEFAULT_VARIABLES = {"crewai.Agent": "OPENAI_MODEL_NAME"}

# Names of the environment that carry a model: LLM_MODEL, LLM_MODEL_EMBEDDING.
MODEL_VARIABLE = re.compile(r"LLM_MODEL(?:_([A-Z0-9_]+))?")
TOOL_VARIABLE = re.compile(r"TOOL_URL_([A-Z0-9_]+)")
CHAT_TAIL = "/chat/completions"
GATEWAY_VARIABLE = "LLM_GATEWAY_URL"

VENDORS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Prefixes by which LiteLLM, LangChain and Pydantic AI name the vendor.
    (re.compile(r"^(?:openai(?:-chat|-responses)?|azure)[/:]"), "openai"),
    (re.compile(r"^anthropic[/:]"), "anthropic"),
    (re.compile(r"^(?:bedrock|bedrock_converse)[/:]"), "bedrock"),
    (re.compile(r"^(?:ollama|ollama_chat)[/:]"), "ollama"),
    (re.compile(r"(?:^|[./])anthropic\.|^(?:us|eu|apac|global)\."), "bedrock"),
    (re.compile(r"^(?:amazon|meta|mistral|cohere|ai21|deepseek)\."), "bedrock"),
    (re.compile(r"^claude"), "anthropic"),
    (re.compile(r"^(?:gpt-|o\d|chatgpt|text-embedding)"), "openai"),
    (re.compile(r"^[a-z0-9.-]+:[a-z0-9.-]+$"), "ollama"),
)
# https://docs.litellm.ai/docs/providers: by these it finds a service itself.
OTHER_PREFIX = re.compile(
    r"^(?:azure|azure_ai|cerebras|cohere|cohere_chat|deepseek|fireworks_ai|gemini"
    r"|gateway|google-gla|google-vertex|google_genai|google_vertexai|groq|huggingface|lm_studio|mistral|mistralai"
    # What LangChain writes with a colon, it asks for at OLLAMA_HOST.
    r"|ollama(?=/)|ollama_chat(?=/)|moonshot|nvidia_nim|openrouter|perplexity|replicate|sagemaker|together_ai"
    r"|vertex_ai|watsonx|xai)[/:]"
)
APIS_OF_ROLES = {"embedding": EMBEDDINGS, "reranking": RERANKING}
APIS_OF_VENDORS = {"openai": CHAT, "anthropic": MESSAGES}

# Where models are reached past the gateway: https addresses written in the code.
VENDOR_HOST = re.compile(
    r"api\.(?:openai|anthropic|deepseek|fireworks|cerebras|perplexity|cohere|moonshot"
    r"|groq|mistral|together|x|z)\.(?:com|ai|cn|xyz)"
    r"|(?:.+\.)?openai\.azure\.com|(?:.+\.)?services\.ai\.azure\.com"
    r"|models\.github\.ai|models\.inference\.ai\.azure\.com"
    r"|(?:.+-)?aiplatform\.googleapis\.com|generativelanguage\.googleapis\.com"
    r"|bedrock-(?:runtime|mantle)\b.*|openrouter\.ai|ollama\.com|open\.bigmodel\.cn"
    r"|dashscope(?:-\w+)?\.aliyuncs\.com|integrate\.api\.nvidia\.com"
    r"|(?:router|api-inference)\.huggingface\.co"
)
OLLAMA_PORT = 11434
VENDOR_PREFIX = re.compile(
    r"^(?:openai(?:-chat|-responses)?|azure|anthropic|bedrock|bedrock_converse|ollama"
    r"|ollama_chat)[/:]"
)
# https://ai.pydantic.dev/models/openai/: its prefix says which of the two APIs.
RESPONSES_PREFIX = "openai-responses:"


def vendor_of(model: str) -> str:
    """Return the provider type a model id belongs to, empty if it cannot be told.

    >>> vendor_of("claude-sonnet-4-20250514")
    'anthropic'
    """
    for pattern, vendor in VENDORS:
        if pattern.search(model):
            return vendor
    return ""


def bare(model: str) -> str:
    """Return a model id without the vendor that a library writes in front of it.

    >>> bare("anthropic/claude-sonnet-4-20250514")
    'claude-sonnet-4-20250514'
    """
    return VENDOR_PREFIX.sub("", model)


def call_of(dotted: str) -> Call | None:
    """Return the row of CALLS that a dotted name ends with.

    The classes for Azure have the methods of the others, and an address of their own.
    """
    for row in CALLS:
        if dotted == row.name or dotted.endswith(f".{row.name}"):
            is_azure = "AzureOpenAI" in dotted
            return row._replace(api=AZURE) if is_azure else row
    return None


def arguments_of(name: str, given: Collection[str]) -> list[str]:
    """Return under which of the names `given` the call `name` is handed its models."""
    if name in OWN_ARGUMENTS:
        return [key for key in OWN_ARGUMENTS[name] if key in given]
    return [key for key in MODEL_ARGUMENTS if key in given][:1]


def counts(call: Call, *, is_given: bool, named: str) -> bool:
    """Tell whether a call is one of a model: some must be handed one, or its name."""
    if call.name in NEEDS_NAME:
        return bool(named)
    return is_given or call.name not in NEEDS_MODEL


def api_of(call: Call, model: str, vendor: str = "") -> str:
    """Return the format that a call speaks.

    `vendor` is whom its library asks where the row does not say. Libraries for all
    vendors tell them apart by the model's name.
    """
    if call.api:
        return call.api
    if not call.vendor and OTHER_PREFIX.match(model):
        return ELSEWHERE
    if model.startswith(RESPONSES_PREFIX):
        return RESPONSES
    vendor = call.vendor or vendor or vendor_of(model)
    if vendor in (BEDROCK, OLLAMA):
        return vendor
    if call.role in APIS_OF_ROLES:
        return APIS_OF_ROLES[call.role]
    return APIS_OF_VENDORS.get(vendor, CHAT)


def is_past_the_gateway(host: str, port: int | None) -> bool:
    """Tell whether an address in the code is a vendor's own."""
    return port == OLLAMA_PORT or VENDOR_HOST.fullmatch(host) is not None

"""What calls of models look like, and to which vendor a model's name belongs. Data."""

import re

DEFAULT_ROLE = "default"

# Calls by the end of their dotted name: (name, role, vendor).
CALLS: tuple[tuple[str, str, str], ...] = (
    ("chat.completions.create", "chat", "openai"),
    ("chat.completions.parse", "chat", "openai"),
    ("chat.completions.stream", "chat", "openai"),
    ("chat.completions.runTools", "chat", "openai"),
    ("responses.create", "chat", "openai"),
    ("responses.parse", "chat", "openai"),
    ("responses.stream", "chat", "openai"),
    ("embeddings.create", "embedding", "openai"),
    ("ChatCompletion.create", "chat", "openai"),
    ("ChatCompletion.acreate", "chat", "openai"),
    ("messages.create", "chat", "anthropic"),
    ("messages.stream", "chat", "anthropic"),
    ("messages.parse", "chat", "anthropic"),
    ("invoke_model", "chat", "bedrock"),
    ("invoke_model_with_response_stream", "chat", "bedrock"),
    ("converse", "chat", "bedrock"),
    ("converse_stream", "chat", "bedrock"),
    # https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/client/bedrock-runtime/
    ("InvokeModelCommand", "chat", "bedrock"),
    ("InvokeModelWithResponseStreamCommand", "chat", "bedrock"),
    ("ConverseCommand", "chat", "bedrock"),
    ("ConverseStreamCommand", "chat", "bedrock"),
    ("ollama.chat", "chat", "ollama"),
    ("ollama.generate", "chat", "ollama"),
    ("ollama.embed", "embedding", "ollama"),
    ("ollama.embeddings", "embedding", "ollama"),
    ("ollama.Client.chat", "chat", "ollama"),
    ("ollama.Client.generate", "chat", "ollama"),
    ("ollama.AsyncClient.chat", "chat", "ollama"),
    ("ollama.AsyncClient.generate", "chat", "ollama"),
    ("ChatOpenAI", "chat", "openai"),
    ("AzureChatOpenAI", "chat", "openai"),
    ("OpenAIEmbeddings", "embedding", "openai"),
    ("AzureOpenAIEmbeddings", "embedding", "openai"),
    ("ChatAnthropic", "chat", "anthropic"),
    ("ChatBedrock", "chat", "bedrock"),
    ("ChatBedrockConverse", "chat", "bedrock"),
    ("BedrockEmbeddings", "embedding", "bedrock"),
    ("ChatOllama", "chat", "ollama"),
    ("OllamaEmbeddings", "embedding", "ollama"),
    ("init_chat_model", "chat", ""),
    ("initChatModel", "chat", ""),
    ("init_embeddings", "embedding", ""),
    ("litellm.completion", "chat", ""),
    ("litellm.acompletion", "chat", ""),
    ("litellm.embedding", "embedding", ""),
    ("litellm.aembedding", "embedding", ""),
    ("litellm.rerank", "reranking", ""),
    # https://ai-sdk.dev/docs/reference/ai-sdk-core
    ("generateText", "chat", ""),
    ("streamText", "chat", ""),
    ("generateObject", "chat", ""),
    ("streamObject", "chat", ""),
    ("embedMany", "embedding", ""),
    ("call_llm", DEFAULT_ROLE, ""),
)

# Names that other libraries use too: they count only when a model is handed over.
NEEDS_MODEL = frozenset(
    {"messages.create", "messages.stream", "messages.parse", "converse"}
)

# Calls that take the model as their first argument.
TAKES_MODEL_FIRST = frozenset(
    {
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
)
SYSTEM_ARGUMENTS = ("system", "system_instruction", "instructions")

# Names of the environment that carry a model: LLM_MODEL, LLM_MODEL_EMBEDDING.
MODEL_VARIABLE = re.compile(r"LLM_MODEL(?:_([A-Z0-9_]+))?")
TOOL_VARIABLE = re.compile(r"TOOL_URL_([A-Z0-9_]+)")
CHAT_TAIL = "/chat/completions"
GATEWAY_VARIABLE = "LLM_GATEWAY_URL"

VENDORS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Prefixes by which LiteLLM and LangChain name the vendor.
    (re.compile(r"^(?:openai|azure)[/:]"), "openai"),
    (re.compile(r"^anthropic[/:]"), "anthropic"),
    (re.compile(r"^(?:bedrock|bedrock_converse)[/:]"), "bedrock"),
    (re.compile(r"^(?:ollama|ollama_chat)[/:]"), "ollama"),
    (re.compile(r"(?:^|[./])anthropic\.|^(?:us|eu|apac|global)\."), "bedrock"),
    (re.compile(r"^(?:amazon|meta|mistral|cohere|ai21|deepseek)\."), "bedrock"),
    (re.compile(r"^claude"), "anthropic"),
    (re.compile(r"^(?:gpt-|o\d|chatgpt|text-embedding)"), "openai"),
    (re.compile(r"^[a-z0-9.-]+:[a-z0-9.-]+$"), "ollama"),
)
VENDOR_PREFIX = re.compile(
    r"^(?:openai|azure|anthropic|bedrock|bedrock_converse|ollama|ollama_chat)[/:]"
)


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


def call_of(dotted: str) -> tuple[str, str, str] | None:
    """Return the row of CALLS that a dotted name ends with."""
    for row in CALLS:
        if dotted == row[0] or dotted.endswith(f".{row[0]}"):
            return row
    return None

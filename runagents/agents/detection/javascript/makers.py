"""Who makes the model in `openai("gpt-4o")`, by the AI SDK's names. Data."""

from typing import NamedTuple

from runagents.agents.detection import vendors


class Maker(NamedTuple):
    """The vendor whose model it is, and the format that is spoken."""

    vendor: str = ""
    api: str = ""


# https://ai-sdk.dev/providers/ai-sdk-providers: by the function's name, and by the name
# of the function that makes such a function.
MAKERS = {
    "openai": Maker("openai", vendors.RESPONSES),
    "azure": Maker("openai", vendors.AZURE),
    "anthropic": Maker("anthropic", vendors.MESSAGES),
    "bedrock": Maker("bedrock", vendors.BEDROCK),
    "ollama": Maker("ollama", vendors.OLLAMA),
    "createOpenAI": Maker("openai", vendors.RESPONSES),
    "createOpenAICompatible": Maker("openai", vendors.CHAT),
    "createAzure": Maker("openai", vendors.AZURE),
    "createAnthropic": Maker("anthropic", vendors.MESSAGES),
    "createAmazonBedrock": Maker("bedrock", vendors.BEDROCK),
    "createOllama": Maker("ollama", vendors.OLLAMA),
}


def maker_of(name: str, method: str) -> Maker:
    """Return who makes the model in ``name.method(...)``.

    The AI SDK's `openai()` speaks the Responses API, `openai.chat()` does not.
    """
    maker = MAKERS.get(name, Maker())
    is_chat = maker.api == vendors.RESPONSES and method in {"chat", "completion"}
    return maker._replace(api=vendors.CHAT) if is_chat else maker

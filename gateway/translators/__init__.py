"""The formats we can call: one module per upstream format."""

from gateway.hub.embeddings import Embedder
from gateway.hub.protocol import Translator
from gateway.translators import anthropic, bedrock, ollama, openai

__all__ = ["EMBEDDERS", "TRANSLATORS"]

TRANSLATORS: dict[str, Translator] = {
    "openai": openai,
    "anthropic": anthropic,
    "bedrock": bedrock,
    "ollama": ollama,
}
"""By the provider's type."""

EMBEDDERS: dict[str, Embedder] = {
    "openai": openai,
    "bedrock": bedrock,
    "ollama": ollama,
}
"""Those of them that can embed, likewise."""

"""The formats we can call: one module per upstream format."""

from gateway.hub.protocol import Translator
from gateway.translators import anthropic, bedrock, ollama, openai

__all__ = ["TRANSLATORS"]

TRANSLATORS: dict[str, Translator] = {
    "openai": openai,
    "anthropic": anthropic,
    "bedrock": bedrock,
    "ollama": ollama,
}
"""By the provider's type."""

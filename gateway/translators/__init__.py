"""The formats we can call: one module per upstream format."""

from gateway.translators import anthropic, ollama, openai
from gateway.translators.protocol import Translator

TRANSLATORS: dict[str, Translator] = {
    "openai": openai,
    "anthropic": anthropic,
    "ollama": ollama,
}
"""By the provider's type."""

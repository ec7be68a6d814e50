"""The providers that clients are tried with, each behind a path of one upstream."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.clients import embedders, responder
from tests.e2e import dialects, registries
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

TITAN = "amazon.titan-embed-text-v2"


class Provider(NamedTuple):
    """A column: a provider's name, what the table calls it, and its models.

    `embedding` is empty where a provider of its kind makes no embeddings.
    """

    name: str
    title: str
    chat: str
    embedding: str = ""


PROVIDERS = (
    Provider("openai", "OpenAI", "gpt-4o-mini", "text-embedding-3-small"),
    Provider("compatible", "OpenAI-compatible", "qwen3-8b", "bge-m3"),
    Provider("anthropic", "Anthropic", "claude-opus-4-6"),
    Provider(
        "claude",
        "Bedrock: Claude by InvokeModel",
        "us.anthropic.claude-opus-4-6-v1",
        f"{TITAN}:0",
    ),
    Provider("nova", "Bedrock: Nova by Converse", "us.amazon.nova-pro-v1:0"),
    Provider("ollama", "Ollama", "llama3.2", "nomic-embed-text"),
)


class Gateway(NamedTuple):
    """What a client is told: the origin, and a key."""

    url: str
    key: str


def registry(replay: Replay) -> dict[str, Any]:
    """Return the registry with every provider, each below a path of its own."""
    made = []
    for provider in PROVIDERS:
        models = [model for model in (provider.chat, provider.embedding) if model]
        url = f"{replay.url}/{provider.name}"
        make, options = _KINDS[provider.name]
        made.append(make(provider.name, url, *models, **options))
    return registries.registry(*made)


_KINDS: dict[str, Any] = {
    "openai": (registries.openai, {"responses_api": "on"}),
    "compatible": (registries.openai, {}),
    "anthropic": (registries.anthropic, {}),
    "claude": (registries.bedrock, {"bedrock_api": "invoke"}),
    "nova": (registries.bedrock, {"bedrock_api": "converse"}),
    "ollama": (registries.ollama, {}),
}


def install(replay: Replay) -> None:
    """Let `replay` answer for every provider."""
    for provider in PROVIDERS:
        dialects.install(replay, f"/{provider.name}")
        embedders.install(replay, f"/{provider.name}", TITAN)
    # The others would be sent a translation, or answer that there is no such path.
    replay.route("/openai/v1/responses", responder.respond)
    replay.route("/openai/v1/responses/compact", responder.compact)


@contextmanager
def running() -> Iterator[Gateway]:
    """A gateway with every provider."""
    with Replay() as replay, TemporaryDirectory() as folder:
        install(replay)
        server = Server(Path(folder)).start()
        try:
            server.apply(registry(replay))
            key = server.key("clients")
            server.settle(*(provider.chat for provider in PROVIDERS), key=key)
            yield Gateway(server.url, key)
        finally:
            server.stop()

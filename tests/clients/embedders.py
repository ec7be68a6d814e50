"""A small model that makes vectors in the vendors' formats: of "2", [2.0, 0.5].

https://platform.openai.com/docs/api-reference/embeddings
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings
"""

import base64
import struct
from collections.abc import Callable
from typing import Any

from tests.e2e.replay import Received, Replay, Reply, json_reply

TOKENS = 3


def install(replay: Replay, prefix: str, titan: str) -> None:
    """Let `replay` embed in every format below `prefix`, Titan by the model's name."""
    replay.route(f"{prefix}/v1/embeddings", openai)
    replay.route(f"{prefix}/api/embed", ollama)
    replay.route(f"{prefix}/model/{titan}", bedrock)


def openai(received: Received) -> Reply:
    """Answer as OpenAI does: base64 where that was asked for."""
    body = received.json
    render: Callable[[list[float]], Any] = (
        _packed if body.get("encoding_format") == "base64" else list
    )
    data = [
        {"object": "embedding", "index": index, "embedding": render(vector(text))}
        for index, text in enumerate(_listed(body["input"]))
    ]
    usage = {"prompt_tokens": TOKENS, "total_tokens": TOKENS}
    head = {"object": "list", "model": body["model"]}
    return json_reply({**head, "data": data, "usage": usage})


def ollama(received: Received) -> Reply:
    """Answer as Ollama does."""
    body = received.json
    vectors = [vector(text) for text in _listed(body["input"])]
    head = {"model": body["model"], "prompt_eval_count": TOKENS}
    return json_reply({**head, "embeddings": vectors})


def bedrock(received: Received) -> Reply:
    """Answer as Titan does, one text at a time."""
    made = vector(received.json["inputText"])
    return json_reply({"embedding": made, "inputTextTokenCount": TOKENS})


def vector(text: str) -> list[float]:
    """Return the vector of a text that is a number."""
    return [float(text), 0.5]


def _packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _listed(given: str | list[str]) -> list[str]:
    return [given] if isinstance(given, str) else given

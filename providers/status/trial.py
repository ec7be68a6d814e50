"""One real call of one token: proves what listing models does not, for almost nothing.

Only on demand: it may be billed. The bodies are the smallest that each vendor takes:

https://platform.openai.com/docs/api-reference/chat/create
https://docs.anthropic.com/en/api/messages
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion
"""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from asgiref.sync import sync_to_async

from providers import auth, endpoints, transport
from providers.models import ModelProvider
from providers.status import discovery, verdicts

TIMEOUT = {"connect": 5.0, "first_byte": 30.0, "read": 30.0}
BODY_LIMIT = 1 << 20
TEXT = "Say hi."

Type = ModelProvider.Type


@dataclass(frozen=True)
class Trial:
    """How the call of `model` ended; `message` is for an administrator."""

    model: str
    succeeded: bool
    message: str
    request: str = ""
    body: str = ""


def call_of(provider: ModelProvider, model: str) -> tuple[str, dict[str, Any]]:
    """Return the path and the body of the smallest call of `model`."""
    messages = [{"role": "user", "content": TEXT}]
    match provider.provider_type:
        case Type.ANTHROPIC:
            body = {"model": model, "messages": messages, "max_tokens": 1}
            return "/v1/messages", body
        case Type.BEDROCK:
            return f"/model/{quote(model, safe='')}/converse", {
                "messages": [{"role": "user", "content": [{"text": TEXT}]}],
                "inferenceConfig": {"maxTokens": 1},
            }
        case Type.OLLAMA:
            options = {"num_predict": 1}
            body = {"model": model, "messages": messages, "options": options}
            return "/api/chat", {**body, "stream": False}
    host = urlsplit(provider.endpoint).hostname or ""
    # OpenAI's reasoning models refuse the old name; other servers know only that.
    is_openai = host.endswith((".openai.com", ".azure.com"))
    limit = "max_completion_tokens" if is_openai else "max_tokens"
    body = {"model": model, "messages": messages, limit: 1}
    return "/v1/chat/completions", body


async def call(provider: ModelProvider, model: str) -> Trial:
    """Call `model` once; never raises for what the provider does."""
    scheme = await sync_to_async(auth.for_provider)(provider)
    path, body = call_of(provider, model)
    url = endpoints.join(provider.endpoint, path)
    line = f"POST {url}"
    started = time.monotonic()
    try:
        request = httpx.Request(
            "POST",
            url,
            content=msgspec.json.encode(body),
            headers={
                **discovery.headers(provider),
                "Content-Type": "application/json",
            },
            extensions={
                "private_network": provider.private_network,
                "timeout": TIMEOUT,
                "keep_alive": False,
            },
        )
        response = await auth.send(request, scheme)
        answer = await transport.read(response, BODY_LIMIT)
    except (httpx.RequestError, httpx.InvalidURL) as error:
        failure = verdicts.unreached(provider, url, error)
        return Trial(model, False, failure.message, line)
    except auth.UNUSABLE_CREDENTIALS as error:
        return Trial(model, False, str(error), line)
    milliseconds = round((time.monotonic() - started) * 1000)
    if response.status_code == 200:
        return Trial(model, True, f"{model} answered in {milliseconds} ms.", line)
    return Trial(
        model,
        False,
        f"{model} did not answer: the provider said {response.status_code}.",
        line,
        verdicts.excerpt(provider, answer),
    )

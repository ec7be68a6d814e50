"""One real call of one token, or of one vector: proves what listing models does not.

Only on demand: it may be billed. What is sent is the smallest that the vendor takes.
"""

import time
from dataclasses import dataclass

import httpx
import msgspec
from asgiref.sync import sync_to_async

from providers import auth, endpoints, transport
from providers.models import ModelProvider
from providers.models.kinds import CHAT, EMBEDDING
from providers.network import ways
from providers.status import discovery, verdicts

TIMEOUT = {"connect": 5.0, "read": 30.0, "total": 60.0}
BODY_LIMIT = 1 << 20


@dataclass(frozen=True)
class Trial:
    """How the call of `model` ended; `message` is for an administrator."""

    model: str
    succeeded: bool
    message: str
    request: str = ""
    body: str = ""


async def call(provider: ModelProvider, model: str, kind: str = CHAT) -> Trial:
    """Call `model`, which is of a kind, once; never raises for what the provider does.

    One that makes vectors is asked for one.
    """
    scheme = await sync_to_async(auth.for_provider)(provider)
    vendor = provider.vendor
    smallest = vendor.embedding_trial if kind == EMBEDDING else None
    path, body = (smallest or vendor.trial)(provider.endpoint, model)
    url = endpoints.join(provider.endpoint, path, provider.version_path)
    line = f"POST {url}"
    started = time.monotonic()
    try:
        request = httpx.Request(
            "POST",
            transport.address(url),
            content=msgspec.json.encode(body),
            headers=transport.header_lines(
                {**discovery.headers(provider), "Content-Type": "application/json"}
            ),
            extensions=ways.extensions(provider, timeout=TIMEOUT, keep_alive=False),
        )
        response = await auth.send(request, scheme)
        answer = await transport.read(response, BODY_LIMIT)
    except httpx.RequestError as error:
        failure = verdicts.unreached(provider, url, error)
        return Trial(model, False, failure.message, line)
    except auth.UNUSABLE_CREDENTIALS as error:
        return Trial(model, False, str(error), line)
    milliseconds = round((time.monotonic() - started) * 1000)
    if response.status_code in verdicts.ANSWERED:
        return Trial(model, True, f"{model} answered in {milliseconds} ms.", line)
    return Trial(
        model,
        False,
        f"{model} did not answer: the provider said {response.status_code}.",
        line,
        verdicts.excerpt(provider, answer),
    )

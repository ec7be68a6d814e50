"""The OpenAPI document of `/v1` and `/api/v1`.

Paths, methods and summaries of `/api/v1` are read from its URL table and views, so that
the document cannot fall behind them. https://spec.openapis.org/oas/v3.1.1.html
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from providers.api import urls as registry_urls
from runagents import __version__
from runagents.agents.api import urls as agent_urls

JSON = dict[str, Any]

API = "/api/v1/"
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_PURPOSE = {
    "GET": "Read",
    "POST": "Send",
    "PUT": "Change",
    "PATCH": "Amend",
    "DELETE": "Delete",
}


class Call(NamedTuple):
    """A call of the gateway: path, method, what it does, where its format stands."""

    path: str
    method: str
    summary: str
    format: str = ""
    is_public: bool = False


_CHAT = "https://platform.openai.com/docs/api-reference/chat/create"
_MESSAGES = "https://platform.claude.com/docs/en/api/messages/create"
_RESPONSES = "https://platform.openai.com/docs/api-reference/responses"
_EMBEDDINGS = "https://platform.openai.com/docs/api-reference/embeddings/create"
_COMPLETIONS = "https://platform.openai.com/docs/api-reference/completions"
_MODERATIONS = "https://platform.openai.com/docs/api-reference/moderations"
_COUNT = "https://platform.claude.com/docs/en/api/messages-count-tokens"
_OLLAMA = "https://docs.ollama.com/api"
_MODELS = "https://platform.openai.com/docs/api-reference/models"
GATEWAY = (
    Call("/v1/chat/completions", "POST", "Ask a model, in OpenAI's format.", _CHAT),
    Call(
        "/v1/p/{provider}/chat/completions",
        "POST",
        "Ask a model of one provider.",
        _CHAT,
    ),
    Call("/v1/messages", "POST", "Ask a model, in Anthropic's format.", _MESSAGES),
    Call(
        "/v1/p/{provider}/messages",
        "POST",
        "Ask a model of one provider, in Anthropic's format.",
        _MESSAGES,
    ),
    Call("/v1/responses", "POST", "Ask a model, as a response.", _RESPONSES),
    Call(
        "/v1/p/{provider}/responses",
        "POST",
        "Ask a model of one provider, as a response.",
        _RESPONSES,
    ),
    Call(
        "/v1/responses/{response}", "GET", "Show a response that is kept.", _RESPONSES
    ),
    Call("/v1/responses/{response}", "DELETE", "Delete a kept response.", _RESPONSES),
    Call(
        "/v1/responses/{response}/cancel",
        "POST",
        "End a response that is made in the background.",
        _RESPONSES,
    ),
    Call(
        "/v1/responses/{response}/input_items",
        "GET",
        "List what a kept response was asked.",
        _RESPONSES,
    ),
    Call(
        "/v1/p/{provider}/responses/{response}",
        "GET",
        "Show a response that a provider keeps.",
        _RESPONSES,
    ),
    Call(
        "/v1/p/{provider}/responses/{response}",
        "DELETE",
        "Delete a response that a provider keeps.",
        _RESPONSES,
    ),
    Call(
        "/v1/p/{provider}/responses/{response}/cancel",
        "POST",
        "End a response that a provider makes in the background.",
        _RESPONSES,
    ),
    Call(
        "/v1/p/{provider}/responses/{response}/input_items",
        "GET",
        "List what a response was asked that a provider keeps.",
        _RESPONSES,
    ),
    Call(
        "/v1/responses/compact",
        "POST",
        "Make a conversation shorter.",
        _RESPONSES,
    ),
    Call(
        "/v1/p/{provider}/responses/compact",
        "POST",
        "Make a conversation shorter by a model of one provider.",
        _RESPONSES,
    ),
    Call(
        "/v1/responses/input_tokens",
        "POST",
        "Count the tokens of a response's input.",
        _RESPONSES,
    ),
    Call(
        "/v1/p/{provider}/responses/input_tokens",
        "POST",
        "Count the tokens of a response's input at one provider.",
        _RESPONSES,
    ),
    Call("/v1/embeddings", "POST", "Make vectors of texts.", _EMBEDDINGS),
    Call(
        "/v1/p/{provider}/embeddings",
        "POST",
        "Make vectors of texts by a model of one provider.",
        _EMBEDDINGS,
    ),
    Call("/v1/completions", "POST", "Have a prompt written on from.", _COMPLETIONS),
    Call(
        "/v1/p/{provider}/completions",
        "POST",
        "Have a prompt written on from by a model of one provider.",
        _COMPLETIONS,
    ),
    Call("/v1/moderations", "POST", "Tell whether contents harm.", _MODERATIONS),
    Call(
        "/v1/p/{provider}/moderations",
        "POST",
        "Tell whether contents harm, by one provider.",
        _MODERATIONS,
    ),
    Call("/v1/messages/count_tokens", "POST", "Tell how long a message is.", _COUNT),
    Call(
        "/v1/p/{provider}/messages/count_tokens",
        "POST",
        "Tell how long a message to one provider is.",
        _COUNT,
    ),
    Call("/v1/models", "GET", "List the models that the key reaches.", _MODELS),
    Call("/v1/models/{model}", "GET", "Show one model.", _MODELS),
    Call("/v1/p/{provider}/models", "GET", "List one provider's models.", _MODELS),
    Call("/v1/p/{provider}/models/{model}", "GET", "Show one of them.", _MODELS),
    Call("/api/chat", "POST", "Ask a model, in Ollama's format.", _OLLAMA),
    Call("/api/embed", "POST", "Make vectors of texts, as Ollama does.", _OLLAMA),
    Call("/api/tags", "GET", "List models, as Ollama does.", _OLLAMA),
    Call("/api/show", "POST", "Show one model, as Ollama does.", _OLLAMA),
    Call("/api/version", "GET", "Tell a version, as Ollama does.", _OLLAMA),
    Call("/api/v1/openapi.json", "GET", "Show this document, to a workspace's key."),
    Call("/healthz", "GET", "Tell that the process is alive.", is_public=True),
    Call("/api/hello", "GET", "Tell that somebody is there.", is_public=True),
    Call("/readyz", "GET", "Tell whether calls can be served.", is_public=True),
    Call("/metrics", "GET", "Tell Prometheus of calls and workers.", is_public=True),
    Call("/tools/echo-tool/echo", "POST", "Answer with what it was sent."),
)
"""Each kind of path that agents use; more forms of one are in docs and routes."""


def document(base: str) -> JSON:
    """Return the OpenAPI document of a server that is reached at `base`."""
    paths: dict[str, JSON] = {}
    for call in GATEWAY:
        paths.setdefault(call.path, {})[call.method.lower()] = _gateway_call(call)
    for path, method, view in registry_calls():
        paths.setdefault(path, {})[method.lower()] = _registry_call(path, method, view)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "RunAgents Model Providers",
            "version": __version__,
            "description": "Calls of models below /v1, the registry below /api/v1.",
        },
        "servers": [{"url": base}],
        "tags": [{"name": "Gateway"}, {"name": "Registry"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "workspaceKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-RunAgents-API-Key",
                },
            },
        },
    }


def registry_calls() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Yield path, method and view of everything below `/api/v1`."""
    for pattern in (*agent_urls.urlpatterns, *registry_urls.urlpatterns):
        # The last one answers for all that is not there.
        if path := str(pattern.pattern):
            for method in getattr(pattern.callback, "methods", ()):
                yield API + _PARAMETER.sub(r"{\2}", path), method, pattern.callback


def _gateway_call(call: Call) -> JSON:
    told = _operation(call.path, "Gateway", call.summary)
    told["operationId"] = _identifier(call.path, call.method)
    told["security"] = [] if call.is_public else [{"key": []}]
    if call.format:
        told["externalDocs"] = {"url": call.format}
    if call.method == "POST":
        told["requestBody"] = _JSON_BODY
    return told


def _registry_call(path: str, method: str, view: Callable[..., Any]) -> JSON:
    """Return one call of the registry; a view's first line says all it does."""
    summary = (view.__doc__ or "").strip().partition("\n")[0]
    told = _operation(path, "Registry", summary)
    told["operationId"] = _identifier(path, method)
    told["security"] = [{"key": []}, {"workspaceKey": []}]
    if method in {"POST", "PUT", "PATCH"}:
        told["requestBody"] = _JSON_BODY
    return told


_OBJECT: JSON = {"application/json": {"schema": {"type": "object"}}}
_JSON_BODY: JSON = {"content": _OBJECT}


def _operation(path: str, tag: str, summary: str) -> JSON:
    told: JSON = {
        "tags": [tag],
        "summary": summary,
        "responses": {
            "2XX": {"description": "Done."},
            "4XX": {"description": "Refused, with the reason.", "content": _OBJECT},
        },
    }
    if names := re.findall(r"{(\w+)}", path):
        told["parameters"] = [
            {"name": n, "in": "path", "required": True, "schema": {"type": "string"}}
            for n in names
        ]
    return told


def _identifier(path: str, method: str) -> str:
    words = re.sub(r"\W+", "_", path.removeprefix(API)).strip("_")
    return f"{_PURPOSE[method].lower()}_{words}"

"""Which of Bedrock's APIs serves a request."""

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON, Route
from gateway.hub.requests.content.parsing import parse_part
from gateway.hub.requests.content.parts import Document
from gateway.translators.bedrock.ids import UNKNOWN, ModelId

CONVERSE = "converse"
INVOKE = "invoke"
NATIVE = "native"

_TEXT_FAMILIES = frozenset({"llama", "mistral-text", "r1", "titan", "cohere"})
"""Families whose InvokeModel bodies express plain conversations safely, no more."""

_PDF = "JVBERi"
"""How a PDF begins in base64."""

_LIMITS = {INVOKE: 20, CONVERSE: 25}
"""Megabytes of a request's body.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
"""


def check_size(body: JSON, api: str, family: str) -> None:
    """Raise a 413 where a request's images and files alone are too much for AWS.

    They make up all of a large body; counting them costs nothing, unlike writing it.
    """
    limit = _LIMITS[INVOKE if api == INVOKE and family == "claude" else CONVERSE]
    size = sum(len(text) for part, _ in _parts(body) for text in _data(part))
    if size > limit * 1024 * 1024:
        raise GatewayError(
            413,
            "invalid_request_error",
            f"The images and files of this request exceed {limit} MB. Send fewer or "
            "smaller ones.",
            code="request_too_large",
            param="messages",
        )


def _data(part: JSON) -> list[str]:
    """Return the texts of a part that hold data in base64."""
    match part:
        case {"type": "image_url", "image_url": {"url": str(data)} | str(data)}:
            return [data]
        case {"type": "file", "file": {"file_data": str(data)}}:
            return [data]
        case {"type": "input_audio", "input_audio": {"data": str(data)}}:
            return [data]
    return []


def choose_api(body: JSON, route: Route, model: ModelId) -> str:
    """Return the API to call; raises `GatewayError` (400) where the set one cannot be.

    The option `bedrock_api` of the provider decides, and by itself (`auto`) InvokeModel
    is taken wherever its body can say all of the request.
    """
    mode = route.options.get("bedrock_api") or "auto"
    if mode == CONVERSE:
        return CONVERSE
    if model.family == "openai-native":
        return NATIVE
    if mode == INVOKE:
        _check_invocable(model)
        return INVOKE
    if model.family == "claude-legacy":
        raise _retired()
    if model.converse_only or model.family in (UNKNOWN, "writer"):
        return CONVERSE
    if model.family == "nova" and _has_document(body):
        return CONVERSE
    if model.family in _TEXT_FAMILIES and not _is_plain(body):
        return CONVERSE
    return INVOKE


def _check_invocable(model: ModelId) -> None:
    if model.family == "claude-legacy":
        raise _retired()
    if model.converse_only:
        raise invalid_request(
            "Prompt routers and prompts are served by Converse only. Set the "
            "provider's Bedrock API to 'auto' or 'converse'.",
            param="model",
            code="model_misconfigured",
        )
    if model.family == UNKNOWN:
        raise invalid_request(
            "The model's id does not tell which body InvokeModel takes. Name its base "
            "model in the provider's settings, or set the Bedrock API to 'auto'.",
            param="model",
            code="model_misconfigured",
        )


def _retired() -> GatewayError:
    return unsupported(
        "Claude 2 and Claude Instant are not supported. Choose a newer Claude.",
        param="model",
    )


def _has_document(body: JSON) -> bool:
    """Say whether a request holds a document that is not text."""
    for part, param in _parts(body):
        match part:
            case {"type": "file"}:
                parsed = parse_part(part, param)
                if isinstance(parsed, Document) and not parsed.is_text:
                    return True
            case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
                # Its bytes tell, not its label.
                start = url.find(",") + 1
                if url[start : start + 80].lstrip().startswith(_PDF):
                    return True
    return False


def _is_plain(body: JSON) -> bool:
    """Say whether a request is text from end to end, without tools past or present."""
    if body.get("tools") or body.get("functions"):
        return False
    for message in _messages(body):
        if message.get("role") in ("tool", "function"):
            return False
        if message.get("tool_calls") or message.get("function_call"):
            return False
    return all(part.get("type") in ("text", "refusal") for part, _ in _parts(body))


def _messages(body: JSON) -> list[JSON]:
    messages = body.get("messages")
    found = messages if isinstance(messages, list) else []
    return [message for message in found if isinstance(message, dict)]


def _parts(body: JSON) -> list[tuple[JSON, str]]:
    return [
        (part, f"messages[{index}].content[{position}]")
        for index, message in enumerate(_messages(body))
        if isinstance(parts := message.get("content"), list)
        for position, part in enumerate(parts)
        if isinstance(part, dict)
    ]

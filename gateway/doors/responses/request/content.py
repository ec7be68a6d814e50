"""The content of messages and of tools' results: parts, as the hub has them.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
"""

from collections.abc import Callable
from typing import Any

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.wire import jsontext

_BREAKPOINT = "prompt_cache_breakpoint"

_OUTPUT_PARTS = frozenset({"input_text", "input_image", "input_file"})
"""Parts that a tool's result may hold; a list of others is a value to be told."""


def content_of(content: Any, path: str) -> str | list[JSON]:
    """Return a message's content; raises a 400 that names the part of it."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise wrong(path, "expected a string or an array of parts")
    parts = [_part(part, f"{path}[{at}]") for at, part in enumerate(content)]
    return plain(parts)


def output_of(output: Any, path: str) -> str | list[JSON]:
    """Return what a tool answered: text, parts, or any other value as JSON text."""
    if output is None:
        return ""
    if isinstance(output, str):
        return output
    if isinstance(output, list) and output and all(map(_is_output_part, output)):
        return content_of(output, path)
    return jsontext.dumps(output)


def plain(parts: list[JSON]) -> str | list[JSON]:
    """Return parts, as a string where they are one text and nothing is said about it.

    Servers that know strings only are many.
    """
    match parts:
        case [{"type": "text", "text": str(text), **rest}] if not rest:
            return text
        case _:
            return parts


def wrong(path: str, problem: str) -> GatewayError:
    """Return a 400 for a value of another shape."""
    return invalid_request(
        f"Invalid value for '{path}': {problem}.", param=path, code="invalid_value"
    )


def _is_output_part(part: Any) -> bool:
    kind = part.get("type") if isinstance(part, dict) else None
    return isinstance(kind, str) and kind in _OUTPUT_PARTS


def _part(part: Any, path: str) -> JSON:
    if not isinstance(part, dict):
        raise wrong(path, "expected an object with a 'type'")
    kind = part.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise unsupported(
            f"Content parts of type '{kind}' are not supported for this model.",
            param=f"{path}.type",
        )
    read = reader(part, path)
    if part.get(_BREAKPOINT):
        read[_BREAKPOINT] = part[_BREAKPOINT]
    return read


def _text(part: JSON, path: str) -> JSON:
    text = part.get("text")
    if not isinstance(text, str):
        raise wrong(f"{path}.text", "expected a string")
    return {"type": "text", "text": text}


def _refusal(part: JSON, path: str) -> JSON:
    refusal = part.get("refusal")
    if not isinstance(refusal, str):
        raise wrong(f"{path}.refusal", "expected a string")
    return {"type": "refusal", "refusal": refusal}


def _image(part: JSON, path: str) -> JSON:
    image = part.get("image_url")
    if image is None and part.get("file_id") is not None:
        raise unsupported(
            "Upload ids belong to OpenAI; send 'image_url'.", param=f"{path}.file_id"
        )
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str):
        raise wrong(f"{path}.image_url", "expected a URL")
    shown = {"url": url}
    if isinstance(detail := part.get("detail"), str):
        shown["detail"] = detail
    return {"type": "image_url", "image_url": shown}


def _file(part: JSON, path: str) -> JSON:
    for name in ("file_data", "file_url"):
        if isinstance(value := part.get(name), str):
            file = {name: value}
            if isinstance(filename := part.get("filename"), str):
                file["filename"] = filename
            return {"type": "file", "file": file}
    if part.get("file_id") is not None:
        raise unsupported(
            "Upload ids belong to OpenAI; send 'file_data'.", param=f"{path}.file_id"
        )
    raise wrong(path, "expected 'file_data' or 'file_url'")


def _audio(part: JSON, path: str) -> JSON:
    return {"type": "input_audio", "input_audio": part.get("input_audio")}


_READERS: dict[str, Callable[[JSON, str], JSON]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "reasoning_text": _text,
    "summary_text": _text,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
    "refusal": _refusal,
}

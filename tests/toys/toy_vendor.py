"""What the registry knows about the toy's providers."""

from typing import Any

from providers.vendors import Question, Vendor


def _read(answer: Any) -> list[str] | None:
    return answer.get("toys") if isinstance(answer, dict) else None


VENDOR = Vendor(
    label="Toy",
    chat_path="/play",
    questions=lambda endpoint: [Question(endpoint, "/toys", _read)],
    trial=lambda endpoint, model: ("/play", {"toy": model, "text": "hi"}),
)

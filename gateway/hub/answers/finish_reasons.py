"""Why an answer ended: an upstream's words in OpenAI's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import upstream_error
from gateway.hub.protocol import JSON, Reply

REFUSED = "The model declined to respond."


@dataclass(frozen=True)
class FinishReasons:
    """The words by which one upstream tells why an answer ended.

    `words` maps them to OpenAI's; what is unknown counts as a stop. `malformed` are
    those for output that the model itself garbled: there is no answer then, and the
    client is told `sentence`, in which ``{word}`` is the upstream's. `refused` is said
    where the model declined.
    """

    words: Mapping[str, str]
    malformed: frozenset[str] = frozenset()
    sentence: str = ""
    refused: str = ""
    ignores_case: bool = False

    def check(self, native: Any) -> None:
        """Raise `GatewayError` (502) where `native` says that there is no answer."""
        self._check(self._word(native))

    def finish_reason(self, native: Any, *, has_calls: bool) -> str:
        """Return OpenAI's word for `native`; raises `GatewayError` where none is due.

        A call ends an answer with `tool_calls` unless it was cut off or refused.
        """
        word = self._word(native)
        reason = self.words.get(word)
        if reason is None:
            self._check(word)
        elif reason not in ("stop", "tool_calls"):
            return reason
        return "tool_calls" if has_calls else "stop"

    def refusal(self, native: Any, explanation: Any = None) -> str | None:
        """Return what a model that declined says about it; None where it did not."""
        if not self.refused or native != self.refused:
            return None
        is_told = isinstance(explanation, str) and explanation
        return explanation if is_told else REFUSED

    def _word(self, native: Any) -> str:
        if not isinstance(native, str):
            return ""
        return native.lower() if self.ignores_case else native

    def _check(self, word: str) -> None:
        if word in self.malformed:
            told = self.sentence.format(word=word)
            raise upstream_error(502, "malformed_model_output", told)


def put_called(
    choice: JSON, reply: Reply, *, has_calls: bool, has_function: bool = False
) -> None:
    """Let a choice that stopped for its calls say so, in place.

    Some servers say ``stop`` there, and agents that go by the reason do not call. Where
    the request named the one function to call, ``stop`` is OpenAI's own word:
    https://platform.openai.com/docs/guides/function-calling
    """
    is_called = has_calls or has_function
    if choice["finish_reason"] == "stop" and is_called and not reply.forced_tool:
        choice.setdefault("native_finish_reason", "stop")
        choice["finish_reason"] = "tool_calls" if has_calls else "function_call"

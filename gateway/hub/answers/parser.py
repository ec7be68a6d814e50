"""A stream parser made of a reader of bytes and the writer of the answer."""

from collections.abc import Callable
from typing import Protocol

from gateway.errors import GatewayError
from gateway.hub.answers.finish_reasons import FinishReasons
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.protocol import JSON, Reply


class ByteReader(Protocol):
    """Reads one upstream stream, cut anywhere, and has a writer write what it says.

    What it may rely on: nothing is fed once the state is over or paused.
    """

    def feed(self, data: bytes) -> None:
        """Take in what arrived; raises `GatewayError` where it makes no sense."""
        ...

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        ...


class AnswerParser:
    """One streamed answer; a `PausingParser`, should its reader ever pause.

    What holds for every stream stands here once: nothing is read behind the end, and an
    error ends the stream but takes nothing back.
    """

    def __init__(
        self,
        reply: Reply,
        reasons: FinishReasons,
        reader: Callable[[Reply, AnswerWriter], ByteReader],
    ) -> None:
        self._writer = AnswerWriter(reply, reasons)
        self.state = self._writer.state
        self._make_reader = reader
        self._reader = reader(reply, self._writer)

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks that `data` completes."""
        state = self.state
        if state.done or state.error is not None or state.paused is not None:
            return []
        try:
            self._reader.feed(data)
        except GatewayError as error:
            state.error = error
        return self._writer.take()

    def close(self) -> list[JSON]:
        """End of input: return the last chunks."""
        if self.state.is_over:
            return []
        try:
            self._reader.close()
        except GatewayError as error:
            self.state.error = error
        return self._writer.take()

    def resume(self, reply: Reply) -> None:
        """Expect the stream that goes on with an answer that paused."""
        self.state.paused = None
        self._reader = self._make_reader(reply, self._writer)

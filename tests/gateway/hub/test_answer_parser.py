"""How every stream begins, fails, pauses and ends, whatever its bytes are."""

from gateway.errors import upstream_error
from gateway.hub.answers.finish_reasons import FinishReasons
from gateway.hub.answers.parser import AnswerParser
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.protocol import JSON, PausingParser, Reply


class Letters:
    """Reads letters: ``!`` fails, ``.`` ends the answer, ``~`` lets it pause."""

    def __init__(self, reply: Reply, writer: AnswerWriter) -> None:
        self.reply = reply
        self.writer = writer

    def feed(self, data: bytes) -> None:
        for letter in data.decode():
            if letter == "!":
                raise upstream_error(502, "failed", "It failed.")
            if letter == ".":
                self.writer.stop("end")
                self.writer.finish()
                return
            if letter == "~":
                self.writer.state.paused = {"after": self.reply.model}
                return
            self.writer.text(letter)

    def close(self) -> None:
        self.feed(b"!" if self.writer.state.paused is None else b".")


def parser_of(*pieces: bytes) -> tuple[AnswerParser, str]:
    """Return a parser that was fed, and the text that it gave."""
    parser = AnswerParser(Reply("first"), FinishReasons({}), Letters)
    return parser, said([chunk for piece in pieces for chunk in parser.feed(piece)])


def said(chunks: list[JSON]) -> str:
    return "".join(
        choice["delta"].get("content", "")
        for chunk in chunks
        for choice in chunk["choices"]
    )


def test_nothing_is_read_behind_the_end() -> None:
    parser, text = parser_of(b"ab", b"c.d", b"e!")
    assert text == "abc"
    assert parser.close() == []
    assert parser.state.is_over
    assert parser.state.error is None


def test_what_came_before_an_error_was_said() -> None:
    parser, text = parser_of(b"ab", b"c!d", b"e.")
    assert text == "abc"
    assert parser.close() == []
    assert parser.state.is_over
    assert not parser.state.done


def test_input_that_ends_early_is_an_error() -> None:
    parser, _ = parser_of(b"a")
    assert not parser.state.is_over
    assert parser.close() == []
    assert parser.state.error is not None


def test_nothing_is_read_while_the_answer_pauses() -> None:
    parser, text = parser_of(b"a~b", b"c!")
    assert text == "a"
    assert parser.state.paused == {"after": "first"}
    assert not parser.state.is_over


def test_an_answer_that_paused_goes_on() -> None:
    parser, _ = parser_of(b"a~")
    assert isinstance(parser, PausingParser)
    state = parser.state
    parser.resume(Reply("second"))
    chunks = parser.feed(b"b~")
    assert said(chunks) == "b"
    assert not any(choice["delta"].get("role") for choice in chunks[0]["choices"])
    assert parser.state is state
    assert state.paused == {"after": "second"}


def test_an_answer_that_paused_may_end_there() -> None:
    parser, _ = parser_of(b"a~")
    chunks = parser.close()
    assert [choice["finish_reason"] for choice in chunks[-1]["choices"]] == ["stop"]
    assert parser.state.done

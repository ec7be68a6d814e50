"""What a door may know of a request is put together once."""

import pytest

from gateway.doors import chat, messages
from gateway.entry.request import SHORT, Request

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


LONG = b"{" + b" " * SHORT + b"}"


def request(body=LONG):
    return Request("/", "POST", "", {"a": ["1"]}, request_id="r", body=body)


@pytest.mark.parametrize("door", [chat, messages])
def test_a_door_that_keeps_it_is_asked_by_the_same(door):
    made = request()
    sent = made.sent()
    assert made.sent() is sent
    asked = door.parse_request(BODY, sent)
    made.let_go(asked.sent)
    assert made.body == b""
    assert (made.sent() is sent) == (asked.sent is sent)
    assert (made.sent().request_id, made.sent().header("a")) == ("r", "1")


def test_nobody_holds_a_body_that_its_door_let_go():
    made = request()
    made.let_go(chat.parse_request(BODY, made.sent()).sent)
    assert made.sent().raw == b""


def test_what_is_short_is_not_put_together_again():
    made = request(b"{}")
    sent = made.sent()
    made.let_go(chat.parse_request(BODY, sent).sent)
    assert made.sent() is sent

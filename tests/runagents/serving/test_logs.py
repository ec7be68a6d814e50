"""A log line is one line of JSON, whatever is logged."""

import json
import logging
import sys

import pytest

from runagents.serving.logs import JSONFormatter

HOSTILE = "a\r\nb\x1b[2Jc\x00\x85\u2028\x7f\x9b\ud800"


@pytest.mark.proves("1.9")
@pytest.mark.parametrize("place", ["name", "message", "argument", "error"])
def test_no_field_ends_a_line_or_moves_a_cursor(place):
    texts = dict.fromkeys(("name", "message", "argument", "error"), "plain")
    texts[place] = HOSTILE
    try:
        raise ValueError(texts["error"])
    except ValueError:
        about = sys.exc_info()
    record = logging.LogRecord(
        texts["name"], 40, "p", 1, texts["message"] + "%s", (texts["argument"],), about
    )
    line = JSONFormatter().format(record)
    assert line.isascii()
    assert line.isprintable() or line.replace("\x7f", "").isprintable()
    assert HOSTILE in "".join(str(each) for each in json.loads(line).values())


def test_what_somebody_may_not_do_is_no_traceback(client, django_user_model, caplog):
    client.force_login(django_user_model.objects.create_user("vera", password="x"))
    assert client.get("/settings/people/").status_code == 403
    (record,) = (each for each in caplog.records if each.name == "django.request")
    line = json.loads(JSONFormatter().format(record))
    assert line["level"] == "WARNING"
    assert "/settings/people/" in line["message"]
    assert "traceback" not in line


def test_no_line_holds_the_token_of_an_invitation():
    path = "/join/Ab3-_x9Qf/"
    record = logging.LogRecord("django", 30, "", 0, "Gone: %s", (path,), None)
    line = JSONFormatter().format(record)
    assert "Ab3" not in line
    assert json.loads(line)["message"] == "Gone: /join/•••/"

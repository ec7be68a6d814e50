"""PyPI is asked once a day, and only where somebody wants it."""

import os
import time

import httpx
import pytest
from asgiref.sync import async_to_sync

from providers import transport
from runagents.settings_pages import releases


@pytest.fixture
def asked(tmp_path, settings):
    """What PyPI was asked; it answers as `answer` says."""
    settings.DATA_DIR = tmp_path
    settings.RELEASE_NOTICE = True
    requests = []

    def look(answer):
        def respond(request):
            requests.append(request)
            return answer

        with transport.use(httpx.MockTransport(respond)):
            async_to_sync(releases.look)()
        return requests

    return look


def found(version):
    return httpx.Response(200, json={"info": {"version": version}})


def test_it_is_off_unless_it_is_wanted(asked, settings):
    settings.RELEASE_NOTICE = False
    assert asked(found("99.1")) == []


def test_a_day_passes_between_two_questions(asked, tmp_path):
    (request,) = asked(found("99.1"))
    assert str(request.url) == releases.URL
    assert releases.newer() == "99.1"
    assert len(asked(found("99.2"))) == 1
    yesterday = time.time() - releases.DAY_SECONDS - 1
    os.utime(tmp_path / "newest_release.json", (yesterday, yesterday))
    assert len(asked(found("99.2"))) == 2
    assert releases.newer() == "99.2"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json=[]),
        found("9; rm"),
    ],
)
def test_an_answer_that_tells_no_release_is_none(asked, answer):
    assert len(asked(answer)) == 1
    assert releases.newer() == ""
    assert len(asked(answer)) == 1

"""A provider's test says whether the server has the Responses API, and what that means.

What a server answers an empty call is what its frameworks do: 400 or 422 where the path
is there, 404 or 405 where it is not.
"""

import asyncio

import httpx
import pytest
from django.urls import reverse

from providers import transport
from providers.status import responses_api
from tests.faults import Answer, FaultServer, json_answer
from tests.providers.status import test_status
from tests.providers.status.test_status import draft

real_transport = test_status.real_transport

INCOMPLETE = json_answer({"error": {"message": "Missing 'model'."}}, 400)
NO_FIELDS = json_answer({"detail": [{"loc": ["body", "model"]}]}, 422)


@pytest.fixture
def upstream():
    """A server that knows no path but those that a test gives it."""
    with FaultServer() as server:
        server.answer = Answer(404)
        yield server


def told(provider):
    return asyncio.run(responses_api.told(provider))


@pytest.mark.parametrize(
    ("answer", "chosen", "begin"),
    [
        (INCOMPLETE, None, "Responses API found. OpenAI and Azure"),
        (NO_FIELDS, "auto", "Responses API found. OpenAI and Azure"),
        (INCOMPLETE, "on", "Responses API found, and used as it is."),
        (INCOMPLETE, "off", "Responses API found. It is not used:"),
        (Answer(404), None, "No Responses API found: requests of it are translated."),
        (Answer(405), None, "No Responses API found: requests of it are translated."),
        (Answer(404), "on", "No Responses API found, though"),
        (Answer(401), None, ""),
        (Answer(500), None, ""),
        (json_answer({"id": "resp_1"}), None, ""),
    ],
)
def test_what_is_found_is_told_with_what_becomes_of_it(upstream, answer, chosen, begin):
    upstream.answers["/v1/responses"] = answer
    options = {"responses_api": chosen} if chosen else {}
    text = told(draft(upstream.url, options=options))
    assert text.startswith(begin)
    assert bool(text) == bool(begin)
    (received,) = upstream.requests
    assert (received.method, received.body) == ("POST", b"{}")
    assert received.header("authorization").startswith("Bearer ")


def test_who_has_no_such_api_is_not_asked(upstream):
    assert told(draft(upstream.url, provider_type="ollama", auth_type="none")) == ""
    assert upstream.requests == []


def test_a_server_that_is_away_is_told_of_by_the_check_alone(upstream):
    row = draft(upstream.url)
    row.endpoint = "http://127.0.0.1:9"
    assert told(row) == ""


@pytest.mark.django_db
def test_the_test_of_a_stored_provider_tells_of_it(logged_in_client, provider):
    provider()

    def respond(request):
        if request.method == "POST":
            return httpx.Response(400, json={"error": {"message": "No model."}})
        return httpx.Response(200, json={"data": []})

    with transport.use(httpx.MockTransport(respond)):
        page = logged_in_client.post(
            reverse("provider-check", args=["openai"]), headers={"HX-Request": "true"}
        )
        told = logged_in_client.post(
            reverse("provider-check", args=["openai"]), follow=True
        )
    for answer in (page, told):
        assert "Responses API found." in answer.content.decode()

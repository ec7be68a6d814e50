"""Which requests go to Claude on Bedrock directly, and how its refusals are told."""

import json

import httpx
import pytest

from gateway.calls.passages import between
from gateway.doors import messages
from gateway.doors.protocol import Sent
from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.translators import bedrock

PASSAGE = between(messages, bedrock)
BODY = {
    "model": "alias",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}
CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
OLDER = "anthropic.claude-sonnet-4-20250514-v1:0"
FORMAT = {"type": "json_schema", "schema": {"type": "object", "properties": {}}}


def asked(body):
    raw = json.dumps(body).encode()
    return messages.parse_request(body, Sent({}, raw=raw))


def rendered(model, body=BODY, **options):
    route = Route("alias", model, options=options)
    return PASSAGE.prepare(asked(body), route).render({})


def test_a_schema_that_the_model_cannot_promise_goes_over_the_hub():
    body = {**BODY, "output_config": {"format": FORMAT}}
    request = rendered(OLDER, body)
    assert request.reply.json_tool
    assert request.downgraded == ("output_config.format",)
    assert PASSAGE.avoidable(request.reply)


def test_other_models_go_over_the_hub():
    request = rendered("amazon.nova-pro-v1:0")
    assert request.body["schemaVersion"] == "messages-v1"
    assert PASSAGE.avoidable(request.reply)


def test_nothing_is_tried_again_for_who_does_so_by_itself():
    assert PASSAGE.avoidable(rendered(CLAUDE).reply) == ()


def test_an_arn_is_known_by_its_base_model():
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    route = Route("alias", arn, base_model="anthropic.claude-sonnet-4-5-20250929-v1:0")
    request = PASSAGE.prepare(asked(BODY), route).render({})
    assert request.path.endswith("/invoke")
    assert request.body["anthropic_version"] == "bedrock-2023-05-31"


def test_digits_of_numbers_are_the_clients():
    raw = json.dumps({**BODY, "temperature": 0.5}).replace("0.5", "0.50").encode()
    sent = Sent({}, raw=raw)
    question = messages.parse_request(json.loads(raw), sent)
    request = PASSAGE.prepare(question, Route("alias", CLAUDE)).render({})
    assert b'"temperature":0.50' in request.raw


def test_a_body_that_aws_would_not_take_is_refused():
    large = {**BODY, "messages": [{"role": "user", "content": "x" * (20 << 20)}]}
    with pytest.raises(GatewayError) as refused:
        rendered(CLAUDE, large)
    assert (refused.value.status, refused.value.code) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "The model returned the following errors: messages.2.content.0: bad",
            "messages.2.content.0: bad",
        ),
        (
            "Malformed input request: #: extraneous key [foo] is not permitted, "
            "please reformat your input and try again.",
            "#: extraneous key [foo] is not permitted",
        ),
        ("context_management: Extra inputs are not permitted", None),
    ],
)
def test_refusals_are_the_models_own_words(said, told):
    payload = json.dumps({"message": said}).encode()
    headers = {"x-amzn-errortype": "ValidationException:http://x"}
    reply = rendered(CLAUDE).reply
    error = PASSAGE.parse_error(400, headers, payload, reply)
    assert (error.status, error.message) == (400, told or said)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("wire", ["converse", "invoke"])
def test_what_its_answer_estimates_is_not_read_twice(wire, stream):
    question = asked({**BODY, "stream": stream})
    route = Route("alias", CLAUDE, options={"bedrock_api": wire})
    prepared = PASSAGE.prepare(question, route)
    assert prepared.render({}).path.count("converse") == (wire == "converse")
    assert prepared.is_read_again == (stream and wire == "converse")


@pytest.fixture
def aws(provider):
    """A provider on AWS with one Claude."""
    return provider(
        "aws",
        provider_type="bedrock",
        endpoint="https://bedrock-runtime.us-east-1.amazonaws.com",
        models=[CLAUDE],
    )


def test_an_image_is_fetched_for_it(gateway, aws, upstream):
    png = b"\x89PNG\r\n\x1a\n"

    def respond(request):
        if request.method == "GET":
            return httpx.Response(200, content=png, headers={"content-type": "x/y"})
        message = {"type": "message", "model": "claude", "content": []}
        return httpx.Response(200, json={**message, "stop_reason": "end_turn"})

    seen = upstream(respond)
    source = {"type": "url", "url": "https://93.184.216.34/a.png"}
    turn = {"role": "user", "content": [{"type": "image", "source": source}]}
    body = {**BODY, "model": CLAUDE, "messages": [turn]}
    answer = gateway().post("/v1/messages", json=body)
    assert answer.json()["model"] == CLAUDE
    sent = json.loads(seen[1].content)
    (block,) = sent["messages"][0]["content"]
    assert block["source"]["media_type"] == "image/png"

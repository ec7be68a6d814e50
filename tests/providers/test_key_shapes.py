"""One table of what a key looks like, and five places that go by it."""

import base64
import json
import random
import re
import uuid
from hashlib import sha1, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hub.errors.masking import mask
from gateway.ledger.bodies import bodies_log
from providers import key_shapes, keys, starter
from providers.key_shapes import SHAPES, redacted, shape_in
from providers.models import ModelProvider
from providers.status import verdicts
from runagents.agents.detection import analyse
from runagents.agents.starter import running
from tests.at_once import at_once


def logged(text):
    return json.loads(bodies_log.kept({"content": text}))["content"]


def judged(text):
    error = json.dumps({"error": {"message": text}}).encode()
    return verdicts.excerpt(ModelProvider(), error)


def printed(text):
    return running.redacted(text, {})


REDACTING = [mask, logged, printed, judged]
ALL = [pytest.param(each, id=f"{each.name}-{n}") for n, each in enumerate(SHAPES)]


def secret_of(shape):
    """Return the longest run of the example: what must not be seen of it."""
    return max(re.findall(r"[A-Za-z0-9+/]{12,}", shape.example), key=len)[-24:]


@at_once("shape", ALL)
@at_once("shown", REDACTING, ids=lambda each: each.__name__)
def test_no_key_is_shown_or_kept(shown, shape):
    text = shown(f"use {shape.example} please")
    assert secret_of(shape) not in text
    assert text.startswith("use ")
    assert text.endswith(" please")


@at_once("shape", ALL)
@at_once(
    "source",
    [
        pytest.param(lambda text: f"\nx = {text!r}", id="parsed"),
        pytest.param(lambda text: f"def (\n{text}", id="broken"),
    ],
)
def test_every_key_in_a_source_is_found(source, shape):
    analysis = analyse({"agent.py": source(f"use {shape.example} please")})
    assert [(key.kind, key.line) for key in analysis.keys] == [(shape.name, 2)]
    assert secret_of(shape) not in repr(analysis)


RANDOM = random.Random(7)
IMAGE = base64.b64encode(RANDOM.randbytes(60_000)).decode()


@at_once(
    "text",
    [
        "a task-based, disk-bound and risk-free call",
        "Skipping the basics: a basic understanding of bearer certificates.",
        "The API key is missing. Set api_key, or the header x-api-key.",
        "use Bearer authentication: Authorization: Bearer <token>",
        "max_tokens: 128000, session_token: none, account key: see below",
        '<i class="sk-fading-circle sk-container-id-1"></i> of scikit and sk-learn',
        "hf_hub_download, xai-explanations, nvapi-open-source-sdk, r8_register",
        "the ghp_ prefix, github_pat_ too; AKIA and ASIA begin ids of AWS",
        "ASIA PACIFIC (Singapore), pk_order_items, glpat-, xox-",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "eyJ is how a token begins. Like this.",
        f"run {uuid.UUID(int=RANDOM.getrandbits(128))} again",
        f"commit {sha1(b'a').hexdigest()} of {sha256(b'a').hexdigest()}",
        "key: 0123456789abcdef0123456789abcdef",
    ],
)
@at_once("shown", REDACTING, ids=lambda each: each.__name__)
def test_what_is_no_key_is_left_alone(shown, text):
    plain = " ".join(text.split()) if shown is judged else text
    assert shown(text) == plain
    assert analyse({"agent.py": f"x = {text!r}"}).keys == []


def test_images_are_left_alone():
    url = f"data:image/png;base64,{IMAGE}"
    assert redacted(url, quoted=True) == url
    assert logged(f"see {url} here") == "see [file] here"
    assert logged(IMAGE).startswith(IMAGE[:4000])


@pytest.mark.parametrize("prefix", keys.PREFIXES)
def test_keys_that_we_issue_are_known(prefix):
    plaintext = keys.generate(prefix).plaintext
    assert redacted(f"key={plaintext}") == "key=[redacted]"


def test_the_sandboxs_key_is_known():
    assert redacted(starter.sandbox_key()) == "[redacted]"


def test_a_key_under_its_name_is_not_kept():
    value = "0123456789abcdef" * 2
    body = {"api-key": value, "hash": value, f"sk-{value}": 1}
    body["arguments"] = json.dumps({"api_key": value})
    assert json.loads(bodies_log.kept(body)) == {
        "api-key": "[redacted]",
        "hash": value,
        "[redacted]": 1,
        "arguments": '{"api_key": "[redacted]"}',
    }


def test_a_key_behind_the_cut_is_not_kept_either():
    key = f"-----BEGIN PRIVATE {'KEY'}-----\n" + "a1B2c3D4" * (bodies_log.MAX_TEXT // 4)
    text = bodies_log.kept({"text": f"{'x' * (bodies_log.MAX_TEXT - 100)}\n{key}"})
    assert "a1B2" not in text
    assert "characters more]" in text


@pytest.mark.parametrize("before", ["\\n", "\\\\t", "%3D", "_", "-", '"', "="])
def test_a_key_is_seen_behind_an_escape(before):
    assert redacted(f"a{before}hf_{'a1B2' * 8}").endswith(f"{before}[redacted]")


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-ab***yz.",
        "Incorrect API key provided: sk-proj-****************abcD",
        "no such key: hf_abc******xyz",
        "Bearer abcdefg is invalid",
        "x-api-key: hunter2",
    ],
)
@pytest.mark.parametrize("shown", [mask, judged], ids=lambda each: each.__name__)
def test_a_part_of_a_key_that_a_vendor_quotes_is_not_shown(shown, text):
    assert re.search(r"\*|ab|xyz|hunter2", shown(text)) is None


@given(
    before=st.text(),
    after=st.text(),
    shape=st.sampled_from(SHAPES),
    quoted=st.booleans(),
)
def test_a_key_is_seen_in_any_text(before, after, shape, quoted):
    text = redacted(f"{before} {shape.example} {after}", quoted=quoted)
    assert secret_of(shape) not in text


@pytest.mark.parametrize("text", ["eyJ_", "-----BEGIN ", "sk-", "api-key: ", "xai-_"])
def test_no_text_is_slow_to_search(text):
    """A quadratic pattern takes minutes for what a linear one does in a moment."""
    assert redacted(text * (200_000 // len(text)), quoted=True)
    assert shape_in(text * (200_000 // len(text))) is None


@pytest.mark.parametrize("shape", ALL)
def test_keys_without_end_are_searched_once(shape):
    for cut in (-8, None):
        assert redacted(shape.example[:cut] * (30_000 // len(shape.example)))


def test_every_row_has_an_example_of_its_own():
    assert [shape_in(each.example)[0] for each in SHAPES] == list(SHAPES)
    assert key_shapes.REDACTED not in {each.example for each in SHAPES}

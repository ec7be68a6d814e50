"""What may be typed as an address, and where it leads."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import endpoints
from providers.endpoints import EndpointError


@pytest.mark.parametrize(
    "typed",
    [
        "https://api.openai.com",
        "https://api.openai.com/",
        "https://api.openai.com/v1",
        "https://api.openai.com/v1/",
        "https://API.OpenAI.com/v1/chat/completions",
        "  https://api.openai.com/chat/completions  ",
    ],
)
def test_every_usual_way_to_write_it_leads_to_the_same_url(typed):
    assert (
        endpoints.chat_url("openai", typed)
        == "https://api.openai.com/v1/chat/completions"
    )


@pytest.mark.parametrize(
    ("endpoint", "path", "url"),
    [
        (
            "https://r.openai.azure.com/openai/v1",
            "/v1/chat/completions",
            "https://r.openai.azure.com/openai/v1/chat/completions",
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "/v1/chat/completions",
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        ),
        (
            "https://open.bigmodel.cn/api/paas/v4",
            "/v1/models",
            "https://open.bigmodel.cn/api/paas/v4/models",
        ),
        ("http://localhost:11434", "/api/chat", "http://localhost:11434/api/chat"),
        ("http://localhost:11434/v1", "/api/chat", "http://localhost:11434/api/chat"),
        ("http://localhost:11434/api", "/api/tags", "http://localhost:11434/api/tags"),
        ("http://h/base", "/model/a%3A0/invoke", "http://h/base/model/a%3A0/invoke"),
    ],
)
def test_a_version_stands_once_in_the_url(endpoint, path, url):
    assert endpoints.join(endpoint, path) == url


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        # Documented addresses, as the vendors write them.
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1/"),
        ("https://api.mistral.ai/v1", "https://api.mistral.ai/v1/"),
        ("https://api.deepseek.com", "https://api.deepseek.com/v1/"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "https://generativelanguage.googleapis.com/v1beta/openai/",
        ),
        ("https://api.perplexity.ai", "https://api.perplexity.ai/"),
        ("https://models.github.ai/inference", "https://models.github.ai/inference/"),
        (
            "https://acme.cloud.databricks.com/serving-endpoints",
            "https://acme.cloud.databricks.com/serving-endpoints/",
        ),
        (
            "https://llm.acme.test/serving-endpoints",
            "https://llm.acme.test/serving-endpoints/",
        ),
        (
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l"
            "/endpoints/openapi",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l"
            "/endpoints/openapi/",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/acct/gw/compat",
            "https://gateway.ai.cloudflare.com/v1/acct/gw/compat/",
        ),
        (
            "https://api.cloudflare.com/client/v4/accounts/a/ai/v1",
            "https://api.cloudflare.com/client/v4/accounts/a/ai/v1/",
        ),
        ("https://api.z.ai/api/coding/paas/v4", "https://api.z.ai/api/coding/paas/v4/"),
        (
            "https://r.services.ai.azure.com/models",
            "https://r.services.ai.azure.com/models/",
        ),
        # Less than the documented address.
        ("https://api.groq.com", "https://api.groq.com/openai/v1/"),
        ("https://api.groq.com/openai", "https://api.groq.com/openai/v1/"),
        ("https://openrouter.ai/api", "https://openrouter.ai/api/v1/"),
        ("https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1/"),
        ("https://r.openai.azure.com/openai", "https://r.openai.azure.com/openai/v1/"),
        ("https://models.github.ai", "https://models.github.ai/inference/"),
        # Typed in full.
        ("https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai/"),
        ("https://h/llm/chat/completions", "https://h/llm/"),
        ("https://h/chat/completions/", "https://h/"),
        ("https://api.openai.com/v1/responses", "https://api.openai.com/v1/"),
        ("https://api.openai.com/v1/embeddings", "https://api.openai.com/v1/"),
        ("https://h/llm/v1/chat/completions", "https://h/llm/v1/"),
        ("https://h/v3/chat/completions", "https://h/v3/"),
        # Unknown servers.
        ("http://localhost:8001", "http://localhost:8001/v1/"),
        ("https://h/proxy", "https://h/proxy/v1/"),
        ("https://h/v2/proxy", "https://h/v2/proxy/"),
    ],
)
def test_an_address_leads_to_where_its_server_has_the_api(typed, url):
    base = endpoints.normalize(typed)
    assert endpoints.chat_url("openai", typed) == f"{url}chat/completions"
    assert endpoints.join(base, "/v1/models") == f"{url}models"


def test_the_messages_api_keeps_its_version_behind_a_gateway():
    base = "https://gateway.ai.cloudflare.com/v1/acct/gw/anthropic"
    assert endpoints.join(base, "/v1/messages") == f"{base}/v1/messages"


def test_a_query_of_the_address_stands_in_every_url():
    classic = (
        "https://r.openai.azure.com/openai/deployments/gpt-4o/chat/completions"
        "?api-version=2024-10-21"
    )
    assert endpoints.normalize(classic) == classic
    assert endpoints.join(classic, "/v1/chat/completions") == classic
    short = endpoints.normalize("https://h/v1/?api-version=preview")
    assert short == "https://h/v1?api-version=preview"
    url = endpoints.join(short, "/v1/models?limit=1000")
    assert url == "https://h/v1/models?limit=1000&api-version=preview"


@pytest.mark.parametrize(
    ("version", "url"),
    [("", "https://h/a/v1/models"), ("none", "https://h/a/models")],
)
def test_an_option_settles_what_an_address_does_not_tell(version, url):
    assert endpoints.join("https://h/a", "/v1/models", version) == url


def test_an_option_puts_a_version_below_another():
    assert endpoints.join("https://h/v2/a", "/v1/models", "v1") == (
        "https://h/v2/a/v1/models"
    )


@pytest.mark.proves("3.2")
@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("", "Enter"),
        ("api.openai.com", "scheme"),
        ("ftp://api.openai.com", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("https://", "host"),
        ("https://user:pass@api.openai.com", "user name"),
        ("https://api.openai.com@evil.test", "user name"),
        ("https://h/v1?key=abc", "looks like a key"),
        ("https://h/v1?api_key=abc", "looks like a key"),
        ("https://h/v1?subscription-key=abc", "looks like a key"),
        ("https://h/v1?sig=abc", "looks like a key"),
        ("https://https://api.openai.com", "twice"),
        ("https://https:/api.openai.com", "twice"),
        ("https://api.openai.com/#x", "fragment"),
        ("https://api.openai.com/\nhost", "control"),
        ("https://api.openai.com\\@evil.test", "backslash"),
        ("https://api.openai.com:0", "Port 0"),
        ("https://api.openai.com:99999", "port"),
        ("https://-bad-.com", "not a host"),
        ("https://b\u00fccher.example", "not a host"),
        ("https://a..b", "not a host"),
        ("https://" + "a" * 2100, "longer"),
        ("https://h/a/../b", "slashes"),
        ("https://h/%2e%2e/b", "slashes"),
        ("http://2852039166", "usual form"),
        ("http://0xa9fea9fe", "usual form"),
        ("http://0251.0376.0251.0376", "usual form"),
        ("http://127.1", "usual form"),
        ("http://169.254.169.254", "never connected"),
        ("http://[::ffff:a9fe:a9fe]", "never connected"),
        ("http://[fe80::1%25eth0]", "scope"),
        ("http://\uff11\uff16\uff19.254.169.254", "usual form"),
        ("http://[::1", "malformed"),
    ],
)
def test_an_unusable_address_says_what_to_change(typed, word):
    with pytest.raises(EndpointError, match=word):
        endpoints.normalize(typed)


def test_a_token_url_keeps_its_path():
    url = "https://login.example.com/oauth/messages/"
    assert endpoints.normalize(url, strip_tail=False) == url


@given(st.text(max_size=60))
def test_whatever_is_accepted_can_be_called(text):
    try:
        url = endpoints.normalize("https://" + text)
    except EndpointError:
        return
    assert httpx.URL(url).host
    assert endpoints.origin(url).startswith("https://")


@given(st.text(alphabet="abc.0179:x[]%/@-", max_size=20))
def test_accepting_twice_changes_nothing(text):
    try:
        once = endpoints.normalize("http://" + text)
    except EndpointError:
        return
    assert endpoints.normalize(once) == once


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com:443"),
        ("http://LOCALHOST/x", "http://localhost:80"),
        ("http://[::1]:11434", "http://[::1]:11434"),
    ],
)
def test_an_origin_names_its_port(url, origin):
    assert endpoints.origin(url) == origin


@pytest.mark.parametrize(
    ("endpoint", "private"),
    [
        ("http://localhost:11434", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:8000", True),
        ("http://192.168.1.5", True),
        ("http://100.64.3.3", True),
        ("http://ollama:11434", True),
        ("http://gpu.internal", True),
        ("https://api.openai.com", False),
        ("http://8.8.8.8", False),
        ("http://169.254.169.254", False),
        ("http://localhost.evil.test", False),
    ],
)
def test_a_private_address_is_told_by_its_looks(endpoint, private):
    assert endpoints.is_private(endpoint) is private

"""The registry goes out as a file and comes in after a look at what it changes."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from providers.models import ModelProvider
from runagents.models import AuditEntry

pytestmark = pytest.mark.django_db
SECRET = "sk-of-the-upstream-0123456789"


def text_of(response):
    return response.content.decode()


def exported(client):
    return text_of(client.get(reverse("registry-export")))


def brought(client, **data):
    return client.post(reverse("registry-import"), data)


def test_the_file_holds_no_secret_and_the_log_says_who_took_it(
    logged_in_client, provider
):
    provider(key=SECRET)
    answer = logged_in_client.get(reverse("registry-export"))
    assert answer["Content-Disposition"] == 'attachment; filename="registry.yaml"'
    assert "name: openai" in text_of(answer)
    assert SECRET not in text_of(answer)
    assert AuditEntry.objects.filter(action="export").exists()


def test_what_would_change_is_shown_before_it_does(logged_in_client, provider):
    row = provider(requests_per_minute=60)
    text = exported(logged_in_client).replace(
        "requestsPerMinute: 60", "requestsPerMinute: 90"
    )
    file = SimpleUploadedFile("registry.yaml", text.encode())
    page = text_of(brought(logged_in_client, file=file))
    assert "<del>60</del>" in page
    assert "<ins>90</ins>" in page
    row.refresh_from_db()
    assert row.requests_per_minute == 60
    answer = brought(logged_in_client, text=text, apply="1")
    assert answer.url == reverse("provider-list")
    row.refresh_from_db()
    assert row.requests_per_minute == 90


def test_a_file_that_says_what_is_so_changes_nothing(logged_in_client, provider):
    provider()
    page = text_of(brought(logged_in_client, text=exported(logged_in_client)))
    assert "Nothing: the registry is as the file says." in page
    assert "Apply these changes" not in page


def test_providers_that_are_not_named_stay(logged_in_client, provider):
    provider()
    brought(logged_in_client, text="model_providers: []", apply="1")
    assert ModelProvider.objects.exists()


def test_no_variable_of_the_server_goes_into_a_secret(
    logged_in_client, monkeypatch, db
):
    monkeypatch.setenv("ENCRYPTION_KEYS_OF_A_TEST", SECRET)
    text = """
secrets:
- {name: s, data: {api_key: {env: ENCRYPTION_KEYS_OF_A_TEST}}, origins: ["https://x.io"]}
"""
    answer = brought(logged_in_client, text=text, apply="1")
    assert answer.status_code == 422
    assert "Secrets are not entered by a file here" in text_of(answer)
    assert SECRET not in text_of(answer)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Choose a file or paste one."),
        ({"text": " "}, "Choose a file or paste one."),
        ({"text": "["}, "not valid YAML"),
        ({"text": "a: &x [1]\nb: *x"}, "YAML alias"),
        ({"text": "providers: []"}, "is not a section"),
        ({"file": SimpleUploadedFile("r.yaml", b"\xff")}, "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_none_is_told(logged_in_client, db, data, words):
    answer = brought(logged_in_client, **data)
    assert answer.status_code == 422
    assert words in text_of(answer)

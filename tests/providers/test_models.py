"""Secrets are opened only for the origins they were entered for."""

import pytest
from django.core.exceptions import ValidationError

from providers import keys, sealing
from providers.models import (
    NAME_RULE,
    REGION_RULE,
    ModelProvider,
    RegistryVersion,
    Secret,
    SecretNotAllowed,
)


def test_a_secret_opens_for_its_own_origin(provider):
    assert provider().credentials() == {"api_key": "sk-upstream-key-0123456789"}


def test_a_repointed_provider_gets_no_secret(provider):
    row = provider()
    ModelProvider.objects.update(endpoint="http://127.0.0.2:9")
    row.refresh_from_db()
    with pytest.raises(SecretNotAllowed):
        row.credentials()


def test_what_a_secret_lacks_is_named_region_and_token_url_too():
    secret = Secret(name="aws")
    secret.store({"aws_access_key_id": "AKIA"}, ["https://bedrock.example:443"])
    assert secret.lacking(["https://bedrock.example:443", "region:us-east-1"]) == [
        "region:us-east-1"
    ]


@pytest.mark.proves("4.1")
def test_origins_edited_in_the_database_close_the_secret(provider):
    row = provider()
    ModelProvider.objects.update(endpoint="http://127.0.0.2:9")
    Secret.objects.update(origins=["http://127.0.0.2:9"])
    row = ModelProvider.objects.get()
    with pytest.raises(sealing.UnreadableSecret):
        row.credentials()


@pytest.mark.proves("4.1")
def test_a_ciphertext_copied_to_another_row_does_not_open(provider):
    provider("one")
    two = provider("two")
    Secret.objects.filter(name="two-secret").update(
        sealed=Secret.objects.get(name="one-secret").sealed
    )
    two = ModelProvider.objects.get(name="two")
    with pytest.raises(sealing.UnreadableSecret):
        two.credentials()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "https://xn--a.com"),
        ("endpoint", "https://xn--/v1"),
        ("endpoint", "https://a..b"),
        ("endpoint", f"https://{'a' * 64}.example"),
        ("token_url", "https://xn--a.com/token"),
        ("token_url", "https://a..b/token"),
        ("options", {"organization": "Büro"}),
        ("options", {"organization": "org-1\r\nx-evil: 1"}),
    ],
)
def test_what_no_request_can_be_made_of_is_not_saved(provider, field, value):
    row = provider(auth_type="oauth2", token_url="https://login.example.com/token")
    setattr(row, field, value)
    with pytest.raises(ValidationError) as caught:
        row.clean()
    assert field in caught.value.message_dict


def test_every_change_of_the_registry_moves_its_version(provider):
    before = RegistryVersion.current()
    row = provider()
    assert (middle := RegistryVersion.current()) > before
    row.provider_models.all()[0].delete()
    assert RegistryVersion.current() > middle


def test_a_status_is_stored_without_moving_the_version(provider):
    row = provider()
    before = RegistryVersion.current()
    row.set_status("available", "ok")
    assert RegistryVersion.current() == before


@pytest.mark.proves("2.1")
def test_a_key_made_up_or_mistyped_is_not_well_formed():
    key = keys.generate(keys.AGENT_PREFIX).plaintext
    assert keys.is_well_formed(key)
    assert not keys.is_well_formed(key[:-1] + ("a" if key[-1] != "a" else "b"))
    assert not keys.is_well_formed("ra_ag_" + "a" * 38)
    assert not keys.is_well_formed("sk-anything")


def test_a_new_key_hides_itself_in_its_repr():
    key = keys.generate(keys.AGENT_PREFIX)
    assert key.plaintext not in repr(key)


@pytest.mark.parametrize(
    ("rule", "text"), [(NAME_RULE, "openai\n"), (REGION_RULE, "us-east-1\n")]
)
def test_a_name_ends_where_its_line_does(rule, text):
    rule(text.strip())
    with pytest.raises(ValidationError):
        rule(text)

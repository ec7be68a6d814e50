"""Sealed values open with the same key and binding only."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured

from providers import sealing

ONE = base64.b64encode(b"1" * 32).decode()
TWO = base64.b64encode(b"2" * 32).decode()


@pytest.fixture(autouse=True)
def one_key(settings):
    """The installation has one key."""
    settings.ENCRYPTION_KEYS = [ONE]
    return settings


def test_a_sealed_value_opens_again():
    assert sealing.unseal(sealing.seal(b"canary", "row 1"), "row 1") == b"canary"


def test_the_plaintext_is_not_in_the_token():
    token = sealing.seal(b"canary", "row 1")
    assert "canary" not in token
    assert b"canary" not in base64.b64decode(token.split(":")[2])


def test_sealing_twice_gives_different_tokens():
    assert sealing.seal(b"canary", "row 1") != sealing.seal(b"canary", "row 1")


def test_another_binding_does_not_open_it():
    token = sealing.seal(b"canary", "row 1")
    with pytest.raises(sealing.UnreadableSecret):
        sealing.unseal(token, "row 2")


def test_every_changed_character_is_noticed():
    # Eight bytes make a token without unused bits in its last character.
    token = sealing.seal(b"canary!!", "row 1")
    for position, character in enumerate(token):
        other = "A" if character != "A" else "B"
        changed = token[:position] + other + token[position + 1 :]
        with pytest.raises(sealing.UnreadableSecret):
            sealing.unseal(changed, "row 1")


@pytest.mark.parametrize(
    "token", ["", "canary", "v1:x", "v2:aaaaaaaa:AAAA", "::", "v1:é:x"]
)
def test_what_was_never_sealed_does_not_open(token):
    with pytest.raises(sealing.UnreadableSecret):
        sealing.unseal(token, "row 1")


def test_the_first_key_writes_and_all_read(one_key):
    old = sealing.seal(b"canary", "row 1")
    one_key.ENCRYPTION_KEYS = [TWO, ONE]
    new = sealing.seal(b"canary", "row 1")
    assert (sealing.is_current(old), sealing.is_current(new)) == (False, True)
    assert sealing.unseal(old, "row 1") == b"canary"
    one_key.ENCRYPTION_KEYS = [TWO]
    assert sealing.unseal(new, "row 1") == b"canary"
    with pytest.raises(sealing.UnreadableSecret):
        sealing.unseal(old, "row 1")


@pytest.mark.proves("4.3")
@pytest.mark.parametrize(
    "keys",
    [[], ["short"], [base64.b64encode(b"1" * 16).decode()], ["not base64 at all!"]],
)
def test_an_unusable_key_says_how_to_make_one(one_key, keys):
    one_key.ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        sealing.seal(b"canary", "row 1")

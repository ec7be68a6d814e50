"""The table of translators and the types of providers that the console offers."""

from gateway.translators import TRANSLATORS
from providers.vendors import VENDORS


def test_there_is_a_translator_for_every_type_of_provider() -> None:
    assert set(TRANSLATORS) == set(VENDORS)

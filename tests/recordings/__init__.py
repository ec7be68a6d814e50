"""Exchanges that providers really had, read without any help of the translators."""

"""Requests in OpenAI's format: checked, and read for translators."""

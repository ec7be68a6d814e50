"""Answers in OpenAI's format: written, and made to keep the client's rules."""

"""OpenAI's format read and written: what doors and translators share."""

"""Small formats of OpenAI's that are passed on as they are, or refused in words."""

"""Small formats of OpenAI's, passed on to servers that have their paths."""

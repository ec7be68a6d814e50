"""From OpenAI's request to Claude's."""

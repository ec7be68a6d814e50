"""From Claude's answers and streams to OpenAI's."""

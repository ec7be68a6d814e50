"""The tool calls of answers in OpenAI's format, made regular where servers are not."""
